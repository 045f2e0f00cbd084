"""The graph behind `ssdpipe evaluate weights`, for weights files of any program."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest
import torch

from experiments.cli.requests import EvaluateRequest
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from pipeline.stage import Stage
from ssd_core.detection.limits import DetectionLimits
from ssd_core.spec.paper import ssd300
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.spec.vocabularies import COCO_CLASSES, VOC_CLASSES
from ssd_core.weights.importing import tensor_names
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.layouts.known import LAYOUTS
from ssd_core.weights.weights import Weights, save_weights
from stages.detection.detect import Detect
from stages.placement import Placement
from stages.shards.shard import Shard
from stages.training.initial import WeightsFile


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("theirs") / "ssd.pth"
    names = tensor_names(LAYOUTS["lufficc"], ssd300())
    torch.save({names[name]: tensor for name, tensor in initial_detector(ssd300(), 0).state_dict().items()}, file)
    return str(file)


@pytest.fixture
def data(tmp_path: Path) -> str:
    """An empty data set in VOC layout, sufficient for planning."""
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "data/ImageSets/Main/test.txt").write_text("")
    return str(tmp_path / "data")


Kind = TypeVar("Kind", bound=Stage)


def only(stages: list[Stage], kind: type[Kind]) -> Kind:
    (found,) = (stage for stage in stages if isinstance(stage, kind))
    return found


def stages_of(request: EvaluateRequest) -> list[Stage]:
    return [node.stage for node in Graph(request.targets(Placement())).nodes.values()]


def test_choices_and_limits_of_the_command_reach_the_stages(theirs: str, data: str) -> None:
    request = EvaluateRequest(
        weights=theirs, data=data, layout="lufficc", scales="coco", limits=["clip=true", "per_image=100"]
    )
    stages = stages_of(request)
    file, detect, shard = only(stages, WeightsFile), only(stages, Detect), only(stages, Shard)
    assert (file.choices.layout, file.choices.scales) == ("lufficc", "coco")
    assert detect.limits == DetectionLimits(clip=True, per_image=100)
    assert shard.classes == VOC_CLASSES


def test_by_default_a_file_is_recognised_and_the_limits_are_the_paper_s(theirs: str, data: str) -> None:
    stages = stages_of(EvaluateRequest(weights=theirs, data=data))
    assert only(stages, WeightsFile).choices.layout is None
    assert only(stages, Detect).limits == DetectionLimits()


def test_initial_weights_are_refused_as_a_detector(data: str, tmp_path: Path) -> None:
    places = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28, 31, 33)  # of the convolutions, in ssd.pytorch's file
    widths = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
    state: dict[str, torch.Tensor] = {}
    for place, before, after in zip(places, widths[:-1], widths[1:], strict=True):
        side = 1 if place == 33 else 3
        state |= {f"{place}.weight": torch.zeros(after, before, side, side), f"{place}.bias": torch.zeros(after)}
    torch.save(state, tmp_path / "vgg.pth")
    with pytest.raises(PipelineError, match=r"holds initial weights for a training \(--init\)"):
        stages_of(EvaluateRequest(weights=str(tmp_path / "vgg.pth"), data=data))


def test_a_coco_detector_on_voc_is_refused_with_the_command_that_makes_it_one_of_voc(tmp_path: Path) -> None:
    write_objects(tmp_path / "voc", "person", "tvmonitor")
    coco = write_weights(tmp_path / "theirs.pt", COCO_CLASSES)
    with pytest.raises(PipelineError) as refused:
        EvaluateRequest(weights=coco, data=str(tmp_path / "voc")).targets(Placement())
    assert f"{coco} does not detect 'tvmonitor' (1 object) of voc test: it has COCO's classes" in str(refused.value)
    assert f"`ssdpipe weights transfer {coco} --to voc -o theirs-voc.pt`" in str(refused.value)


def test_objects_of_a_class_that_weights_do_not_know_are_refused_with_the_nearest_name(tmp_path: Path) -> None:
    write_objects(tmp_path / "pets", "cat", "dgo")
    pets = write_weights(tmp_path / "pets.pt", ("cat", "dog"))
    with pytest.raises(PipelineError, match=r"does not detect 'dgo' \(1 object\) of pets test: did you mean 'dog'\?"):
        EvaluateRequest(weights=pets, data=str(tmp_path / "pets")).targets(Placement())


def write_weights(file: Path, classes: tuple[str, ...]) -> str:
    spec = ssd_tiny(classes)
    with file.open("wb") as stream:
        save_weights(Weights(spec=spec, state=initial_detector(spec, 0).state_dict()), stream)
    return str(file)


def write_objects(folder: Path, *names: str) -> None:
    """Write annotations of one image in VOC layout with an object of each class; nothing opens the image."""
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    (folder / "ImageSets/Main/test.txt").write_text("a\n")
    (folder / "JPEGImages/a.jpg").touch()
    box = "<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>60</xmax><ymax>70</ymax></bndbox>"
    objects = "".join(f"<object><name>{name}</name>{box}</object>" for name in names)
    size = "<size><width>100</width><height>80</height></size>"
    (folder / "Annotations/a.xml").write_text(f"<annotation>{size}{objects}</annotation>")
