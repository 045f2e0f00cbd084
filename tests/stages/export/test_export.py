"""Each format in its own runtime detects what the project does, on drawn images and, where there are any, on real ones.

The annotated objects are some of the detector's own detections, so that its mean average precision says something.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

from ssd_core.data.images import decode_rgb
from ssd_core.detection.decoding import detect
from ssd_core.detection.limits import DetectionLimits
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import ssd300
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.spec.vocabularies import VOC_CLASSES
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights
from stages.export.checking import TIED, compare
from stages.export.runtimes import Exported
from stages.export.sample import Sample, read_sample
from stages.export.writing import SUFFIXES, Format, export
from stages.inference.predictor import Predictor

LIMITS = DetectionLimits(min_score=0.05)


def random_weights(spec: DetectorSpec, sharpness: float) -> Weights:
    """Random weights whose scores are as far apart as those of a trained detector."""
    state = initial_detector(spec, 0).state_dict()
    for name in state:
        if name.endswith("logits.weight"):
            state[name] *= sharpness
    return Weights(spec=spec, state=state)


@pytest.fixture(scope="module")
def weights() -> Weights:
    return random_weights(ssd_tiny(VOC_CLASSES), 3.0)


def annotated(sample: Sample, weights: Weights) -> Sample:
    """The images with every third detection of the detector as an object, shifted by up to a fifth of its size."""
    predictor, rng = Predictor(weights, limits=LIMITS, device="cpu"), np.random.default_rng(0)
    rows = []
    for row in sample.rows:
        found = predictor(decode_rgb(row.image))
        boxes, labels = found.boxes_xyxy[::3], found.labels[::3]
        size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        shifted = (boxes + size * rng.uniform(-0.2, 0.2, boxes.shape)).astype(np.float32)
        no = np.zeros(len(labels), np.bool_)
        rows.append(replace(row, boxes_xyxy=shifted, labels=labels.astype(np.int32), difficult=no, crowd=no))
    return Sample(title=sample.title, rows=rows, classes=weights.spec.classes)


@pytest.fixture(scope="module")
def drawn(weights: Weights) -> Sample:
    return annotated(read_sample("", "test", 50), weights)


@pytest.fixture(scope="module", params=[(kind, raw) for kind in SUFFIXES for raw in (False, True)], ids=str)
def exported(request: pytest.FixtureRequest, weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    kind, raw = request.param
    file = tmp_path_factory.mktemp("exported") / f"detector{SUFFIXES[kind]}"
    export(weights, file, kind, raw=raw, limits=LIMITS)
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    return Exported(file, kind)


def assert_same(weights: Weights, exported: Exported, sample: Sample) -> None:
    found = compare(weights, exported, LIMITS, sample)
    assert found.differing == []
    assert (found.same + found.tied, found.same >= 0.8 * found.images) == (found.images, True)
    assert found.detections > 20 * found.images
    assert (found.score_difference < 1e-4, found.equal) == (True, True)
    assert found.other_boxes <= 3
    assert 0.05 < found.own_map < 0.95
    assert f"{found.own_map:.4f}" == f"{found.exported_map:.4f}"


def test_a_file_detects_the_same_in_drawn_images(weights: Weights, exported: Exported, drawn: Sample) -> None:
    assert_same(weights, exported, drawn)


def test_a_file_detects_the_same_in_50_real_images(
    weights: Weights, exported: Exported, real_data: Callable[[str], Path]
) -> None:
    sample = read_sample(str(real_data("voc2007/VOC2007")), "test", 50)
    assert len(sample.rows) == 50
    assert_same(weights, exported, annotated(sample, weights))


def outputs_for(exported: Exported, images: Tensor) -> Sequence[Tensor]:
    with torch.no_grad():
        return list(exported(images).values())


def test_a_file_takes_any_number_of_images(weights: Weights, exported: Exported) -> None:
    side = weights.spec.input_size
    images = torch.randint(0, 256, (5, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    whole = exported(images)
    for start, stop in ((0, 1), (1, 5)):
        for name, values in exported(images[start:stop]).items():
            expected = whole[name] if name == "default_boxes" else whole[name][start:stop]
            assert (values.dtype, values.shape) == (expected.dtype, expected.shape)
            torch.testing.assert_close(values.float(), expected.float(), rtol=0, atol=1e-3)


def test_outputs_have_the_documented_shapes_and_the_description_is_inside(weights: Weights, exported: Exported) -> None:
    side, boxes = weights.spec.input_size, weights.spec.box_count
    outputs = exported(torch.zeros(2, 3, side, side, dtype=torch.uint8))
    text = exported.description
    assert (text["input_size"], tuple(text["classes"])) == (side, VOC_CLASSES)
    shapes = {name: (tuple(values.shape), values.dtype) for name, values in outputs.items()}
    if "logits" in outputs:
        assert shapes == {
            "locations": ((2, boxes, 4), torch.float32),
            "logits": ((2, boxes, 21), torch.float32),
            "default_boxes": ((boxes, 4), torch.float32),
        }
        assert text["variances"] == [0.1, 0.2]
    else:
        assert shapes == {
            "boxes": ((2, 200, 4), torch.float32),
            "scores": ((2, 200), torch.float32),
            "labels": ((2, 200), torch.int64),
            "counts": ((2,), torch.int64),
        }
        assert text["limits"]["min_score"] == LIMITS.min_score


def test_an_onnx_file_is_complete_and_passes_the_checker(weights: Weights, tmp_path: Path) -> None:
    export(weights, tmp_path / "a.onnx", "onnx", raw=False, limits=LIMITS)
    model = onnx.load(tmp_path / "a.onnx", load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert {entry.domain for entry in model.opset_import} <= {"", "ai.onnx"}
    assert [value.name for value in model.graph.input] == ["images"]
    assert json.loads(model.metadata_props[0].value)["classes"] == list(VOC_CLASSES)


def test_the_comparison_reports_what_differs(weights: Weights, drawn: Sample) -> None:
    class Altered(Exported):
        """The detector itself, with another output."""

        def __init__(self, alter: Callable[[dict[str, Tensor]], object]) -> None:
            self.alter, self.detector = alter, weights.detector()

        def __call__(self, images: Tensor) -> dict[str, Tensor]:
            found = detect(self.detector, images, LIMITS)
            count = int(found.images.bincount().max())
            outputs = {
                "boxes": torch.zeros(len(images), count, 4),
                "scores": torch.zeros(len(images), count),
                "labels": torch.full((len(images), count), -1),
            }
            for image in range(len(images)):
                own = found.images == image
                number = int(own.sum())
                outputs["boxes"][image, :number] = found.boxes_xyxy[own]
                outputs["scores"][image, :number] = found.scores[own]
                outputs["labels"][image, :number] = found.labels[own]
            self.alter(outputs)
            return outputs

    few = Sample(title="few", rows=drawn.rows[:8], classes=drawn.classes)

    def after(alter: Callable[[dict[str, Tensor]], object]) -> tuple[bool, int, bool]:
        found = compare(weights, Altered(alter), LIMITS, few)
        return found.equal, len(found.differing), found.score_difference > 1e-4

    def swap(outputs: dict[str, Tensor]) -> None:
        assert (outputs["scores"][:, 0] - outputs["scores"][:, 1] > TIED).any()
        outputs["labels"][:, :2] = outputs["labels"][:, :2].flip(1)

    assert after(lambda _: None) == (True, 0, False)
    assert after(lambda outputs: outputs["scores"].mul_(0.999)) == (False, 0, True)
    assert after(lambda outputs: outputs["labels"][0, 0].fill_(-1)) == (False, 1, False)
    assert after(lambda outputs: outputs["boxes"].add_(1e-3)) == (False, 0, False)
    differing = after(swap)
    assert not differing[0]
    assert differing[1] > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", SUFFIXES)
def test_ssd300_detects_the_same_in_50_real_images(
    kind: Format, real_data: Callable[[str], Path], tmp_path: Path
) -> None:
    weights = random_weights(ssd300(), 0.5)
    sample = read_sample(str(real_data("voc2007/VOC2007")), "test", 50)
    export(weights, tmp_path / "ssd300", kind, raw=False, limits=LIMITS)
    assert_same(weights, Exported(tmp_path / "ssd300", kind), annotated(sample, weights))
