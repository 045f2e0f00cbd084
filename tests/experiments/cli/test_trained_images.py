"""No command scores an image that was trained on, unless explicitly allowed: the promise of docs/data.md."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from experiments.cli.requests import ExperimentRequest, Request, SubmissionRequest, TrainRequest
from experiments.framework.runs import PresetName
from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.folder import Folder
from pipeline.keys.fingerprint import describe
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Context, Stage
from pipeline.store.store import Store
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.placement import Placement
from stages.shards.shard import Shard
from stages.shards.unseen import OnUnseenImages
from stages.training.train import Train

if TYPE_CHECKING:
    from ssd_core.spec.detector import DetectorSpec
    from tests.experiments.cli.conftest import Project

TRAIN = ("train", "ssd-tiny", "--gpus", "0")
KEEPING = ("-s", "keep_every=500")


@pytest.fixture
def data(project: Project) -> Path:
    """`trainval` is `train` and `val` together; `test` is disjoint."""
    for split, ids in (("val", "c"), ("trainval", "ac")):
        (project.data / f"ImageSets/Main/{split}.txt").write_text("".join(f"{image_id}\n" for image_id in ids))
    for kind, suffix in (("JPEGImages", "jpg"), ("Annotations", "xml")):
        shutil.copy(project.data / f"{kind}/a.{suffix}", project.data / f"{kind}/c.{suffix}")
    with (project.data / "JPEGImages/c.jpg").open("ab") as stream:
        stream.write(b"c")  # another file, which decodes to the same pixels
    return project.data


def ssdpipe(store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"SSDPIPE_STORE": str(store)})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (*TRAIN, "--train-split", "trainval", "--test-split", "val"),
            "cats/val shares 1 image (c) with cats/trainval",
        ),
        ((*TRAIN, "--train-split", "train", "--test-split", "train"), "cats/train shares 1 image (a) with cats/train"),
        ((*TRAIN, *KEEPING, "--validation-split", "val"), "cats/val shares 1 image (c) with cats/trainval"),
        (
            ("run", "ablation-layers", "--preset", "tiny", "--train-split", "trainval", "--test-split", "val"),
            "cats/val shares 1 image (c) with cats/trainval",
        ),
    ],
)
def test_trained_images_are_refused_before_anything_starts(
    data: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = ssdpipe(tmp_path / "fresh", *arguments, "--data", str(data))
    assert isinstance(done.exception, PipelineError)
    assert done.exception.exit_code == 2
    assert str(done.exception).startswith(f"{message}, which is trained on ({data})")
    assert "-split" in str(done.exception)
    assert not (tmp_path / "fresh").exists()


def test_drawn_images_are_distinguished_by_their_split(tmp_path: Path) -> None:
    done = ssdpipe(tmp_path / "fresh", *TRAIN, *KEEPING, "--validation-split", "train")
    assert str(done.exception).startswith("drawn/train shares its images with drawn/train")


def test_a_plan_shows_which_detections_would_be_refused(data: Path, tmp_path: Path) -> None:
    splits = ("--train-split", "trainval", "--test-split", "val")
    done = ssdpipe(tmp_path, "plan", "ablation-box-shapes", "--preset", "tiny", "--data", str(data), *splits)
    refused = [line for line in done.stdout.splitlines() if "cats/val shares 1 image (c)" in line]
    assert [line.split()[0].partition("/")[0] for line in refused] == ["detect"] * 3
    assert isinstance(done.exception, PipelineError)


def test_images_of_voc2007_are_recognised_under_their_names_in_voc2012(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VOC2012 contains images of VOC2007 under longer names."""
    for year, splits in (("2007", {"trainval": "000001", "test": "000002"}), ("2012", {"trainval": "2007_000002"})):
        root = tmp_path / f"published/VOCdevkit/VOC{year}"
        for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
            (root / name).mkdir(parents=True)
        for split, image_id in splits.items():
            (root / f"ImageSets/Main/{split}.txt").write_text(image_id)
            image = (data / "JPEGImages/a.jpg").read_bytes() + year.encode() + image_id.encode()  # encoded again
            (root / f"JPEGImages/{image_id}.jpg").write_bytes(image)
            text = (data / "Annotations/a.xml").read_text()
            (root / f"Annotations/{image_id}.xml").write_text(text)
    monkeypatch.setenv("SSDPIPE_DATA", str(tmp_path / "published"))
    done = ssdpipe(tmp_path / "fresh", "train", "ssd300-voc0712", "--gpus", "0")
    assert str(done.exception).startswith(
        "voc2007/test shares 1 image (000002, there named 2007_000002) with voc2012/trainval"
    )


def detecting(request: Request) -> list[OnUnseenImages]:
    stages = [node.stage for node in Graph(request.targets(Placement())).nodes.values()]
    return [stage for stage in stages if isinstance(stage, OnUnseenImages)]


@pytest.mark.parametrize("preset", get_args(PresetName))
def test_every_detection_of_the_paper_knows_the_training_images_and_none_is_refused(
    preset: PresetName,
) -> None:
    found = detecting(ExperimentRequest(experiment="all", preset=preset))
    assert len(found) > 30
    for detection in found:
        assert detection.trained_on
        assert detection.external_digest() == ""


def test_a_fine_tuning_counts_the_images_of_the_training_that_it_starts_from() -> None:
    (detection,) = detecting(TrainRequest(recipe="ssd300-voc0712-after-coco"))
    source_names = [
        source.name for shards in detection.trained_on if isinstance(shards, Shard) for source in shards.sources
    ]
    assert sorted(source_names) == ["coco2017", "voc2007", "voc2012"]


def test_allowed_images_are_not_refused_and_the_table_says_so(data: Path, tmp_path: Path) -> None:
    splits = ("--train-split", "trainval", "--test-split", "val", "--allow-trained-images")
    words = ("ablation-box-shapes", "--preset", "tiny", "--data", str(data), *splits)
    assert ssdpipe(tmp_path, "plan", *words).exit_code == 0
    assert "The scored images may include images that were trained on" in ssdpipe(tmp_path, "compare", *words).stdout
    assert "The scored images may include" not in ssdpipe(tmp_path, "compare", *words[:5]).stdout


OWN = """
from dataclasses import replace
from ssdpipe import RUNS, Experiment, Row, on_data

experiment = Experiment(
    name="seen", question="How well are seen images learnt?", answers="none", expects="well", row_title="run",
    rows=(Row(label="SSD300", run=RUNS["ssd300-voc0712"], published=None),),
    adjust=lambda setup: replace(
        on_data(setup, "{data}", train_split="trainval", test_split="val"), allow_trained_images=True, strict=True
    ),
)
"""


def test_a_user_s_experiment_may_allow_them_too(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "seen_images_experiment.py"
    file.write_text(OWN.format(data=data))
    assert ssdpipe(tmp_path, "plan", str(file), "--preset", "tiny").exit_code == 0
    table = ExperimentRequest(experiment=str(file), preset="tiny").target(Placement())
    assert table.allows_trained_images
    assert all(node.stage.strict for node in Graph([table]).nodes.values() if isinstance(node.stage, Shard))


def test_a_table_that_allows_trained_images_has_a_key_of_its_own(data: Path) -> None:
    def table(*, allowed: bool) -> Stage:
        request = ExperimentRequest(experiment="ablation-box-shapes", preset="tiny", data=str(data))
        return replace(request, allow_trained_images=allowed).target(Placement())

    assert describe(table(allowed=True)).config != describe(table(allowed=False)).config, "equal results, other notes"


@dataclass(frozen=True, kw_only=True)
class Trained(Stage):
    """Stand-in for a training: random weights that depend on shards."""

    kind = "train"
    shards: Stage
    spec: DetectorSpec

    def run(self, ctx: Context) -> None:
        with ctx.out.open_output("weights.pt") as stream:
            save_weights(Weights(spec=self.spec, state=initial_detector(self.spec, 0).state_dict()), stream)


@pytest.fixture
def weights(data: Path, project: Project) -> Path:
    """A weights file in the store that holds its training on `trainval`."""
    training = TrainRequest(recipe="ssd-tiny", data=str(data)).target(Placement()).training
    assert isinstance(training, Train)
    stage = Trained(shards=training.shards, spec=training.recipe.spec)
    graph, store = Graph([stage]), Store.open(str(project.store))
    result = Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="trained").run()
    made = result.outcomes[graph.targets[0]].manifest
    assert made
    return Path(store.output(made).path) / "weights.pt"


def test_the_training_images_of_a_weights_file_are_known_from_its_store(
    weights: Path, data: Path, tmp_path: Path
) -> None:
    words = ("evaluate", "weights", str(weights), "--data", str(data), "--gpus", "0", "--split")
    done = ssdpipe(tmp_path / "fresh", *words, "val")
    assert str(done.exception).startswith("cats/val shares 1 image (c) with shard/cats-trainval, which is trained on")
    assert isinstance(done.exception, PipelineError)
    assert not (tmp_path / "fresh").exists()
    retrained = (*TRAIN, "--init", str(weights), "--data", str(data), "--train-split", "test", "--test-split", "val")
    again = ssdpipe(tmp_path / "fresh", *retrained)
    assert str(again.exception).startswith("cats/val shares 1 image (c) with shard/cats-trainval")


def test_weights_in_a_store_on_s3_are_evaluated_and_known_too(
    weights: Path, data: Path, project: Project, s3_place: str, tmp_path: Path
) -> None:
    local, remote = Folder.at(str(project.store)), Folder.at(s3_place)
    for name in local.files():
        remote.write_bytes(name, local.read_bytes(name))
    place = f"{s3_place}/{weights.relative_to(project.store).as_posix()}"
    done = ssdpipe(
        tmp_path / "fresh", "evaluate", "weights", place, "--data", str(data), "--gpus", "0", "--split", "val"
    )
    assert str(done.exception).startswith("cats/val shares 1 image (c) with shard/cats-trainval, which is trained on")


def test_detections_for_a_server_are_checked_too(weights: Path, data: Path) -> None:
    request = SubmissionRequest(benchmark="voc2012", data=str(data), weights=str(weights), split="val", proxy=True)
    (detection,) = detecting(request)
    assert [stage.listed_images()[0].name for stage in detection.trained_on] == ["shard/cats-trainval"]  # type: ignore[attr-defined]
