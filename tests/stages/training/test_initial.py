"""Initial weights as stages: user files, and the backbones that torchvision downloads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
import torchvision

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.keys.fingerprint import describe
from pipeline.planning.graph import Graph
from ssd_core.network.model import parameter_shapes
from ssd_core.spec.paper import ssd300
from ssd_core.spec.vocabularies import VOC_CLASSES
from ssd_core.weights.importing import tensor_names
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.layouts.known import LAYOUTS
from ssd_core.weights.layouts.layout import ImportChoices
from ssd_core.weights.vgg import REDUCED, TORCHVISION
from ssd_core.weights.weights import Weights, load_weights, save_weights
from stages.training.imagenet_mobilenet_v3 import TORCHVISION_MOBILENET_V3, ImageNetMobileNetV3
from stages.training.imagenet_resnet50 import TORCHVISION_RESNET50, ImageNetResNet50
from stages.training.imagenet_vgg16 import TORCHVISION_VGG16, ImageNetVgg16
from stages.training.initial import WeightsFile

VGG16 = ("features.conv4_3.", "features.conv7.")
"""Prefixes of the tensors of the reduced VGG16."""


def written(path: Path, small_spec) -> Path:
    with path.open("wb") as stream:
        save_weights(Weights(spec=small_spec, state=initial_detector(small_spec, 0).state_dict()), stream)
    return path


def result(in_process, stage) -> Weights:
    ctx = in_process(stage)
    stage.run(ctx)
    assert ctx.out.files() == ["weights.pt"]
    with ctx.out.open_input("weights.pt") as stream:
        return load_weights(stream)


def test_weights_of_a_detector_pass_through_unchanged(in_process, small_spec, tmp_path: Path):
    found = result(in_process, WeightsFile(path=str(written(tmp_path / "mine.pt", small_spec))))
    expected = initial_detector(small_spec, 0).state_dict()
    assert found.spec == small_spec
    assert all(torch.equal(found.state[name], expected[name]) for name in expected)


def test_the_reduced_vgg16_is_recognised_and_brings_its_preprocessing(in_process, tmp_path: Path):
    places = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28, 31, 33)
    own = [shape for name, shape in parameter_shapes(ssd300()).items() if name.startswith(VGG16)]
    names = [f"{at}.{part}" for at in places for part in ("weight", "bias")]
    state = {name: torch.full(shape, float(name.split(".")[0])) for name, shape in zip(names, own, strict=True)}
    torch.save(state, tmp_path / "vgg16_reducedfc.pth")
    found = result(in_process, WeightsFile(path=str(tmp_path / "vgg16_reducedfc.pth")))
    assert found.spec.preprocessing == REDUCED
    assert found.spec.classes == VOC_CLASSES
    assert found.state["features.conv7.conv7.conv.bias"].tolist() == [33.0] * 1024


def test_a_detector_of_another_program_brings_its_heads_and_what_was_chosen(in_process, tmp_path: Path):
    spec = ssd300(("cat", "dog"))
    names = tensor_names(LAYOUTS["caffe"], spec)
    state = initial_detector(spec, 0).state_dict()
    torch.save({names[name]: tensor for name, tensor in state.items()}, tmp_path / "theirs.pth")
    choices = ImportChoices(layout="caffe", classes=("cat", "dog"), scales="coco")
    found = result(in_process, WeightsFile(path=str(tmp_path / "theirs.pth"), choices=choices))
    assert found.spec == ssd300(("cat", "dog"), scales="coco")
    assert torch.equal(found.state["heads.conv7.logits.weight"], state["heads.conv7.logits.weight"])


def test_choices_are_part_of_the_key_and_the_default_ones_leave_it_unchanged(tmp_path: Path):
    (tmp_path / "file.pth").write_bytes(b"content")
    plain = WeightsFile(path=str(tmp_path / "file.pth"))
    assert "choices" not in describe(plain).config
    assert describe(replace(plain, choices=ImportChoices(scales="coco"))).config != describe(plain).config


def test_a_file_of_another_kind_is_refused_with_both_reasons(in_process, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no weights at all")
    stage = WeightsFile(path=str(tmp_path / "notes.txt"))
    with pytest.raises(PipelineError, match=r"not an intact file of tensors: neither PyTorch, npz nor Caffe"):
        stage.run(in_process(stage))
    torch.save({"fc.weight": torch.zeros(2)}, tmp_path / "other.pth")
    stage = WeightsFile(path=str(tmp_path / "other.pth"))
    with pytest.raises(PipelineError, match=r"the first names are fc\.weight"):
        stage.run(in_process(stage, "other"))


def test_a_missing_file_is_refused_when_the_graph_is_built(tmp_path: Path):
    with pytest.raises(PipelineError, match=r"there is no weights file .*gone\.pt \(--init takes"):
        WeightsFile(path=str(tmp_path / "gone.pt"))


def test_the_key_depends_on_the_content_of_a_file_and_not_on_its_place(small_spec, tmp_path: Path):
    one = WeightsFile(path=str(written(tmp_path / "one.pt", small_spec)))
    copy = WeightsFile(path=str(written(tmp_path / "copy.pt", small_spec)))
    (tmp_path / "other.pt").write_bytes(b"other")
    other = WeightsFile(path=str(tmp_path / "other.pt"))
    assert len(Graph([one, copy]).nodes) == 1
    assert len(Graph([one, other]).nodes) == 2
    assert one != other


@pytest.fixture
def torch_home(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def test_imagenet_weights_that_cannot_be_downloaded_are_refused_with_their_place(torch_home: Path, monkeypatch):
    def offline(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(PipelineError) as raised:
        ImageNetVgg16().prepare()
    assert f"not at {torch_home / TORCHVISION_VGG16}" in str(raised.value)
    assert "no route to host" in str(raised.value)
    assert "--init scratch" in str(raised.value)


def test_a_cached_file_of_torchvision_needs_no_network(torch_home: Path, monkeypatch):
    monkeypatch.setattr(torch.hub, "download_url_to_file", None)
    torch_home.mkdir(parents=True)
    (torch_home / TORCHVISION_VGG16).write_bytes(b"taken as it is")
    ImageNetVgg16().prepare()


@pytest.mark.parametrize(
    ("stage", "file", "network", "first"),
    [
        (ImageNetResNet50(), TORCHVISION_RESNET50, torchvision.models.resnet50, "conv1.weight"),
        (
            ImageNetMobileNetV3(), TORCHVISION_MOBILENET_V3, torchvision.models.mobilenet_v3_large,
            "features.0.0.weight",
        ),
    ],
    ids=["resnet50", "mobilenet_v3"],
)  # fmt: skip
def test_a_backbone_of_torchvision_comes_with_the_preprocessing_of_torchvision(
    torch_home: Path, in_process, stage, file, network, first
):
    torch_home.mkdir(parents=True)
    theirs = network(weights=None).state_dict()
    torch.save(theirs, torch_home / file)
    found = result(in_process, stage)
    assert found.spec.preprocessing == TORCHVISION
    assert not found.detects
    assert any(torch.equal(tensor, theirs[first]) for tensor in found.state.values())


def test_the_names_of_the_cached_files_are_torchvisions():
    assert torchvision.models.VGG16_Weights.IMAGENET1K_V1.url.endswith(f"/{TORCHVISION_VGG16}")
    assert torchvision.models.ResNet50_Weights.IMAGENET1K_V1.url.endswith(f"/{TORCHVISION_RESNET50}")
    assert torchvision.models.MobileNet_V3_Large_Weights.IMAGENET1K_V1.url.endswith(f"/{TORCHVISION_MOBILENET_V3}")


def test_a_file_on_s3_is_the_same_weights(in_process, small_spec, s3_place, tmp_path: Path):
    near = WeightsFile(path=str(written(tmp_path / "weights.pt", small_spec)))
    Folder.at(s3_place).write_bytes("weights.pt", (tmp_path / "weights.pt").read_bytes())
    far = WeightsFile(path=f"{s3_place}/weights.pt?region=eu-west-1")
    assert near == far
    expected = initial_detector(small_spec, 0).state_dict()
    found = result(in_process, far)
    assert all(torch.equal(found.state[name], expected[name]) for name in expected)
    with pytest.raises(PipelineError, match=f"there is no weights file {s3_place}/gone.pt"):
        WeightsFile(path=f"{s3_place}/gone.pt")
