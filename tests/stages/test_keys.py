"""A key holds the code that can change a result, and no other: checked on the keys of the stages that commands build.

tests/golden/keys/ lists the modules in the key of each stage; review a change of a list like a change of code.
To rewrite them: `UPDATE_KEYS=1 python -m pytest tests/stages/test_keys.py`
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from experiments.cli.requests import (
    EvaluateRequest,
    ExperimentRequest,
    Request,
    SubmissionRequest,
    TrainRequest,
    TuneRequest,
)
from pipeline.keys import code_digest
from pipeline.keys.fingerprint import Ingredients
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Stage
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.bundles.archived import Archived
from stages.placement import Placement
from stages.shards.shard import Shard

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/golden/keys"
SPLITS = ("train", "val", "test")
LAYOUTS = ("voc", "coco", "ilsvrc", "csv", "yolo")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """Everything that the commands build: each experiment at two presets, trainings on each layout, a weights file."""
    place = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSDPIPE_DATA", str(place / "nowhere"))
        targets = [stage for request in requests(place) for stage in request.targets(Placement())]
        yield Graph([*targets, Archived(named="detect/all")])  # what `verify` builds beside them


def requests(place: Path) -> Iterator[Request]:
    for name in ("all", "backbone-resnet50", "backbone-mobilenet-v3"):
        yield ExperimentRequest(experiment=name, preset="tiny")
        yield ExperimentRequest(experiment=name, preset="full")
    for layout in LAYOUTS:
        yield TrainRequest(
            recipe="ssd-tiny",
            data=str(write_data(place / layout, layout)),
            train_split="train",
            validation_split="val",
            test_split="test",
            settings=["keep_every=500"],
        )
    yield TuneRequest(recipe="ssd-tiny", settings=["batch_size=4..8"], gpus=0, trials=1, seeds=1)
    weights, spec = place / "weights.pt", ssd_tiny(("cat",))
    with weights.open("wb") as stream:
        save_weights(Weights(spec=spec, state=initial_detector(spec, 0).state_dict()), stream)
    voc = str(place / "voc")
    yield EvaluateRequest(weights=str(weights), data=voc)
    yield SubmissionRequest(benchmark="voc2012", weights=str(weights), data=voc, split="test", proxy=True)


def write_data(folder: Path, layout: str) -> Path:
    """A cat in each of three splits of one image each; files that no plan reads are empty."""
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>50</xmax><ymax>60</ymax></bndbox>"
    name = "n02121808" if layout == "ilsvrc" else "cat"
    xml = f"<annotation><object><name>{name}</name>{box}</object></annotation>"
    for number, split in enumerate(SPLITS):
        annotation = {"id": 1, "image_id": number, "category_id": 1, "bbox": [1, 2, 49, 58]}
        listed = {
            "images": [{"id": number, "file_name": f"{number}.jpg"}],
            "categories": [{"id": 1, "name": "cat"}],
            "annotations": [annotation],
        }
        files: Mapping[str, str] = {
            "voc": {
                f"JPEGImages/{number}.jpg": "",
                f"Annotations/{number}.xml": xml,
                f"ImageSets/Main/{split}.txt": f"{number}\n",
            },
            "coco": {f"{split}/{number}.jpg": "", f"annotations/instances_{split}.json": json.dumps(listed)},
            "ilsvrc": {
                f"Data/DET/val/{number}.JPEG": "",
                f"Annotations/DET/val/{number}.xml": xml,
                f"ImageSets/DET/{split}.txt": f"val/{number} 1\n",
            },
            "csv": {
                f"{number}.jpg": "",
                f"{split}.csv": f"image,xmin,ymin,xmax,ymax,class\n{number}.jpg,1,2,50,60,cat\n",
            },
            "yolo": {
                "classes.txt": "cat\n",
                f"images/{split}/{number}.jpg": "",
                f"labels/{split}/{number}.txt": "0 .5 .5 .2 .2\n",
            },
        }[layout]
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(content)
    return folder


def ingredients(graph: Graph) -> dict[str, list[Ingredients]]:
    """Ingredients of the keys, by the name of the stage, without the results of its inputs."""
    resolver = Resolver(graph, missing_allowed=True)
    found: dict[str, list[Ingredients]] = {}
    for node in graph.nodes.values():
        if node.id not in resolver.missing:
            found.setdefault(name_of(node.stage), []).append(resolver.ingredients(node, {}))
    return found


def name_of(stage: Stage) -> str:
    """Class of the stage, and of its sources if it has any: `Shard-VocFolder`."""
    sources = {type(source).__name__ for source in stage.sources} if isinstance(stage, Shard) else set()
    return "-".join([type(stage).__name__, *sorted(sources)])


def test_a_key_holds_the_modules_that_can_change_its_result(graph: Graph) -> None:
    lists = {
        name: {"\n".join(sorted(each.code)) + "\n" for each in found} for name, found in ingredients(graph).items()
    }
    assert [name for name, texts in lists.items() if len(texts) > 1] == [], "stages of one class with different modules"
    if os.environ.get("UPDATE_KEYS"):
        shutil.rmtree(GOLDEN)
        GOLDEN.mkdir(parents=True)
        for name, (text,) in lists.items():
            (GOLDEN / f"{name}.txt").write_text(text)
    golden = {path.stem: {path.read_text()} for path in GOLDEN.glob("*.txt")}
    assert lists == golden, (
        "review the change; if it is intended, rewrite the lists as described at the top of this file"
    )


def test_every_stage_class_of_the_project_has_a_list_of_modules(graph: Graph) -> None:
    built = {type(node.stage).__name__ for node in graph.nodes.values()}
    assert runnable(Stage) == built


def runnable(kind: type) -> set[str]:
    """Names of the stages of the project below a class that can be run."""
    below: list[type] = kind.__subclasses__()
    own = {each.__name__ for each in below if each.__module__.startswith("stages.") and "run" in vars(each)}
    return own.union(*map(runnable, below))


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the source tree, from which keys are computed in this test."""
    for package in code_digest.FIRST_PARTY:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_digest, "package_folder", lambda name: tmp_path / name)
    return tmp_path


def reached(graph: Graph, source: Path, pattern: str) -> set[str]:
    """Names of the stages whose keys change when a function is added to the files of a pattern."""
    before = {name: [each.key for each in found] for name, found in ingredients(graph).items()}
    files = sorted(source.glob(pattern))
    assert files
    for file in files:
        file.write_text(f"{file.read_text()}\n\ndef added() -> int:\n    return 1\n")
    after = {name: [each.key for each in found] for name, found in ingredients(graph).items()}
    return {name for name in before if before[name] != after[name]}


def test_an_edit_of_the_augmentation_reaches_only_trainings(graph: Graph, source: Path) -> None:
    assert reached(graph, source, "ssd_core/data/augment/*.py") == {"Train", "TrainPart"}


@pytest.mark.parametrize("form", ["layout", "text", "latex"])
def test_an_edit_of_how_a_table_is_printed_reaches_only_tables(graph: Graph, source: Path, form: str) -> None:
    assert reached(graph, source, f"stages/tables/{form}.py") == {"Table"}


def test_an_edit_of_the_reader_of_coco_reaches_no_shards_of_another_layout(graph: Graph, source: Path) -> None:
    assert reached(graph, source, "stages/datasets/coco/*.py") == {"Shard-CocoFolder"}


def test_an_edit_of_a_report_or_of_an_estimate_reaches_nothing(graph: Graph, source: Path) -> None:
    assert reached(graph, source, "stages/reporting/*.py") == set()
    assert reached(graph, source, "stages/cost/*.py") == set()
