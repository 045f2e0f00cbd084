"""`ssdpipe weights`: import, show, transfer, vgg16."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from experiments.framework.loading import named_setup
from experiments.framework.setups import starting_from
from pipeline.driver.in_process import run_in_process
from pipeline.errors import PipelineError
from ssd_core.network.model import parameter_shapes
from ssd_core.spec.paper import ssd300
from ssd_core.spec.vocabularies import COCO_CLASSES
from ssd_core.weights.importing import tensor_names
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.layouts.known import LAYOUTS
from ssd_core.weights.weights import load_weights
from stages.training.weight_files import stored_weights

SPEC = ssd300(COCO_CLASSES, scales="coco")


def saved(content: object) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def ssdpipe(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["weights", *map(str, arguments)])


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised COCO detector in the layout of amdegroot."""
    file = tmp_path_factory.mktemp("theirs") / "ssd_coco.pth"
    names = tensor_names(LAYOUTS["amdegroot"], SPEC)
    torch.save({names[name]: tensor for name, tensor in initial_detector(SPEC, 0).state_dict().items()}, file)
    return file


def test_a_file_is_shown_as_json(theirs: Path) -> None:
    shown = json.loads(ssdpipe("show", theirs, "--json").stdout)
    assert shown["settings"]["spec.input_size"] == "300"
    assert shown["tensors"]["l2_norm.scale"] == [512]
    assert len(shown["sha256"]) == 64


def test_an_imported_file_is_a_file_of_ssdpipe(theirs: Path, tmp_path: Path) -> None:
    done = ssdpipe("import", theirs, "--layout", "amdegroot", "-o", tmp_path / "ours.pt")
    assert done.stdout == (
        f"{tmp_path}/ours.pt: SSD300, 80 classes, 8732 default boxes; 71 tensors, 34,305,206 parameters\n"
    )
    with (tmp_path / "ours.pt").open("rb") as stream:
        weights = load_weights(stream)
    assert (weights.spec.classes, weights.spec.clip_boxes) == (COCO_CLASSES, True)
    assert torch.equal(weights.state["l2_norm.scale"], torch.full((512,), 20.0))


@pytest.mark.parametrize("named", [False, True])
def test_a_training_starts_from_another_programs_detector_with_any_classes(
    theirs: Path, tmp_path: Path, *, named: bool
) -> None:
    file, names = theirs, ("cat", "dog", "parrot")
    if named:  # of other classes than VOC's and COCO's
        spec = ssd300(("leaf", "nut"))
        layout = tensor_names(LAYOUTS["amdegroot"], spec)
        state = initial_detector(spec, 1).state_dict()
        torch.save({layout[name]: tensor for name, tensor in state.items()}, tmp_path / "nuts.pth")
        (tmp_path / "nuts.txt").write_text("leaf\nnut\n")
        file = tmp_path / "nuts.pt"
        assert ssdpipe("import", tmp_path / "nuts.pth", "--classes", tmp_path / "nuts.txt", "-o", file).exit_code == 0
    setup = starting_from(named_setup("ssd300-voc0712"), str(file))
    assert setup.initial is not None
    weights = stored_weights(run_in_process(setup.initial, str(tmp_path / "store")))
    detector = initial_detector(ssd300(names), 0, weights)
    own, fresh = detector.state_dict(), initial_detector(ssd300(names), 0).state_dict()
    kept = {name for name in own if torch.equal(own[name], weights.state[name])}
    assert {name for name in own if not name.startswith("heads.")} <= kept
    assert {name for name in own.keys() - kept if not torch.equal(own[name], fresh[name])} == set()
    assert detector.spec.classes == names


def test_an_existing_file_is_not_overwritten(theirs: Path, tmp_path: Path) -> None:
    (tmp_path / "ours.pt").write_bytes(b"precious")
    done = ssdpipe("import", theirs, "-o", tmp_path / "ours.pt")
    assert isinstance(done.exception, PipelineError)
    assert "already exists" in str(done.exception)
    assert (tmp_path / "ours.pt").read_bytes() == b"precious"


def test_show_prints_specification_preprocessing_and_shapes(theirs: Path) -> None:
    lines = ssdpipe("show", theirs).stdout.splitlines()
    assert lines[0].startswith("sha256 = ")
    assert len(lines[0]) == len("sha256 = ") + 64
    assert "preprocessing.channel_order = rgb" in lines
    assert "preprocessing.mean = 123,117,104" in lines
    assert "clip_boxes = True" in lines
    assert "features.conv7.conv6.conv.weight (1024, 512, 3, 3)" in lines


def test_a_coco_detector_becomes_one_of_voc_with_cocos_scales(theirs: Path, tmp_path: Path) -> None:
    done = ssdpipe("transfer", theirs, "--to", "voc", "-o", tmp_path / "voc.pt")
    assert "SSD300, 20 classes, 8732 default boxes; 71 tensors, 26,285,486 parameters" in done.stdout
    with (tmp_path / "voc.pt").open("rb") as stream:
        assert load_weights(stream).spec.sources == SPEC.sources


def test_a_reduced_vgg16_becomes_initial_weights(tmp_path: Path) -> None:
    places = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28, 31, 33)
    names = [f"{place}.{kind}" for place in places for kind in ("weight", "bias")]
    shapes = [shape for name, shape in parameter_shapes(SPEC).items() if name.startswith("features.conv")][:30]
    state = {name: torch.ones(shape) for name, shape in zip(names, shapes, strict=True)}
    torch.save(state, tmp_path / "vgg16_reducedfc.pth")
    done = ssdpipe("vgg16", tmp_path / "vgg16_reducedfc.pth", "-o", tmp_path / "vgg.pt")
    assert done.stdout.startswith(f"{tmp_path}/vgg.pt: VGG16 with fc6 and fc7 subsampled; 30 tensors")
    refused = ssdpipe("vgg16", tmp_path / "vgg16_reducedfc.pth", "--full", "-o", tmp_path / "full.pt")
    assert "already reduced" in str(refused.exception)


def test_classes_come_from_a_file_of_names(theirs: Path, tmp_path: Path) -> None:
    names = [f"thing {number}" for number in range(80)]
    (tmp_path / "names.txt").write_text("\n".join(names) + "\n")
    shown = ssdpipe("show", theirs, "--classes", tmp_path / "names.txt", "--scales", "coco")
    assert f"classes = {','.join(names)}" in shown.stdout.splitlines()
    missing = ssdpipe("show", theirs, "--classes", tmp_path / "gone.txt")
    assert "there is no file" in str(missing.exception)


def test_a_wrong_layout_is_refused_with_the_missing_tensor(theirs: Path, tmp_path: Path) -> None:
    done = ssdpipe("import", theirs, "--layout", "chainercv", "-o", tmp_path / "ours.pt")
    assert "not a detector in the layout of chainercv: it lacks multibox/conf/0/W" in str(done.exception)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x80", "not an intact file of tensors: IndexError"),
        (b"notes, no weights", "neither PyTorch, npz nor Caffe"),
        (saved({"spec": {}}), "its format is None, not a number"),
        (saved({"spec": {}, "format": 1}), "the specification of the weights cannot be used: TypeError"),
        (saved({"spec": 7, "format": 1}), "the specification of the weights cannot be used"),
        (saved({"spec": {}, "format": "1"}), "its format is '1', not a number"),
        (saved({"features.0.weight": torch.ones(64), "classifier.3.weight": torch.ones(())}), "lacks features.0.bias"),
        (saved({"vgg.0.weight": torch.full((64, 3, 3, 3), torch.nan)}), "1,728 of 1,728 values that are NaN"),
    ],
)
def test_a_file_that_cannot_be_used_ends_in_one_message_that_names_it(tmp_path: Path, content: bytes, problem: str):
    (tmp_path / "file.pt").write_bytes(content)
    for command in (["show"], ["import"], ["transfer"]):
        done = ssdpipe(*command, tmp_path / "file.pt")
        assert isinstance(done.exception, PipelineError), command
    done = ssdpipe("show", tmp_path / "file.pt")
    assert f"the weights {tmp_path}/file.pt cannot be used" in str(done.exception)
    assert re.search(problem, str(done.exception))
