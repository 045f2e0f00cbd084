"""Detection over shards: every image, in order, in pixels of the original, whatever the number of tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import PipelineError
from pipeline.keys.fingerprint import describe
from pipeline.stage import Context, Stage
from ssd_core.data.evaluation_stream import evaluation_batches
from ssd_core.data.shards import ShardSet
from ssd_core.detection.decoding import detect
from ssd_core.detection.limits import DetectionLimits
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.detection.detect import Detect
from stages.detection.shares import Share, detect_share, share_size
from stages.detection.table import DETECTIONS

if TYPE_CHECKING:
    from ssd_core.spec.detector import DetectorSpec


@dataclass(frozen=True, kw_only=True)
class Untrained(Stage):
    """Weights from a seed; `silent` ones are sure of background everywhere."""

    spec: DetectorSpec
    silent: bool = False

    def run(self, ctx: Context) -> None:
        state = initial_detector(self.spec, 0).state_dict()
        if self.silent:
            for name, tensor in state.items():
                if name.endswith("logits.bias"):
                    tensor.view(-1, self.spec.class_count)[:, 0] = 100.0
        with ctx.out.open_output("weights.pt") as stream:
            save_weights(Weights(spec=self.spec, state=state), stream)


@pytest.fixture
def detected(in_process, drawn, small_spec):
    """Run a detection with options of the stage and return its table; `tasks` receives the number of tasks."""

    def run(weights: Untrained | None = None, tasks: list[int] | None = None, **options: Any) -> pa.Table:
        weights = weights or Untrained(spec=small_spec)
        made = in_process(weights, "weights")
        weights.run(made)
        stage = Detect(weights=weights, shards=drawn.test, **options)

        def mapper(function, items, *, resources, progress):
            listed = list(items)
            if tasks is not None:
                tasks.append(len(listed))
            return [function(item) for item in listed]

        ctx = in_process(stage, "detections", {**drawn.folders, weights: made.out}, mapper)
        stage.run(ctx)
        with ctx.out.open_input(DETECTIONS) as stream:
            return pq.read_table(stream)

    return run


@pytest.fixture
def test_rows(drawn) -> ShardSet:
    return ShardSet(drawn.folders[drawn.test].path)


def test_detections_are_in_the_order_of_the_images_and_by_descending_score_within_each(detected, test_rows):
    table = detected()
    ids = [row.image_id for row in test_rows]
    found = table.column("image_id").to_pylist()
    assert list(dict.fromkeys(found)) == ids
    assert [ids.index(image_id) for image_id in found] == sorted(ids.index(image_id) for image_id in found)
    scores = np.array(table.column("score"))
    for image_id in ids[:5]:
        own = scores[np.array(found) == image_id]
        assert (np.diff(own) <= 0).all()
        assert len(own) <= 200


def test_boxes_are_pixels_of_the_original_image(detected, test_rows, small_spec):
    table = detected()
    batch = next(evaluation_batches(test_rows, input_size=64, batch_size=16))
    expected = detect(initial_detector(small_spec, 0).eval(), batch.images)
    third = expected.images == 3
    row = test_rows.row(3)
    own = table.filter(pa.compute.equal(table.column("image_id"), row.image_id))
    for name, values, size in (
        ("xmin", expected.boxes_xyxy[third, 0], row.width),
        ("ymin", expected.boxes_xyxy[third, 1], row.height),
        ("xmax", expected.boxes_xyxy[third, 2], row.width),
        ("ymax", expected.boxes_xyxy[third, 3], row.height),
    ):
        np.testing.assert_allclose(own.column(name), values.numpy() * size, rtol=1e-4, atol=1e-3)
    assert own.column("label").to_pylist() == expected.labels[third].tolist()


def test_two_tasks_give_bitwise_the_result_of_one(detected, in_process, drawn, small_spec):
    tasks: list[int] = []
    spread = detected(tasks=tasks, batch_size=16)
    assert tasks == [2]  # 64 images and 6
    folder = in_process(Untrained(spec=small_spec), "weights").out
    share = Share(
        use_gpu=False,
        weights=folder,
        weights_file="weights.pt",
        made_by=Untrained(spec=small_spec),
        shards=drawn.folders[drawn.test],
        start=0,
        stop=70,
        batch_size=16,
    )
    assert detect_share(share).equals(spread)


@pytest.mark.parametrize("workers", [1, 2, 7, 100])
@pytest.mark.parametrize("batch_size", [1, 16, 30])
def test_shares_are_whole_batches_and_large_enough_to_be_worth_a_task(workers: int, batch_size: int):
    size = share_size(5000, workers, batch_size)
    assert size % batch_size == 0
    assert size >= 64
    assert workers > 19 or 5000 / size >= 3 * workers


def test_a_detector_that_finds_nothing_leaves_an_empty_table(detected, small_spec):
    table = detected(Untrained(spec=small_spec, silent=True))
    assert len(table) == 0
    assert table.column_names == ["image_id", "label", "score", "xmin", "ymin", "xmax", "ymax"]


def test_shards_with_classes_in_another_order_are_refused(detected, small_spec):
    other = replace(small_spec, classes=tuple(reversed(small_spec.classes)))
    with pytest.raises(PipelineError, match="shard the images with the classes of the detector, in their order"):
        detected(Untrained(spec=other))


def test_a_weights_file_of_any_name_can_be_used(in_process, drawn, small_spec):
    weights = Untrained(spec=small_spec)
    made = in_process(weights, "weights")
    weights.run(made)
    made.out.write_bytes("checkpoints/weights-000000005.pt", made.out.read_bytes("weights.pt"))
    made.out.delete("weights.pt")
    stage = Detect(weights=weights, weights_file="checkpoints/weights-000000005.pt", shards=drawn.test)
    ctx = in_process(stage, "detections", {**drawn.folders, weights: made.out})
    stage.run(ctx)
    assert ctx.out.exists(DETECTIONS)


def test_limits_reach_the_detection_and_are_part_of_the_key(detected, in_process, drawn, small_spec):
    table = detected(limits=DetectionLimits(per_image=3, clip=True))
    counts = table.group_by("image_id").aggregate([("score", "count")])["score_count"].to_pylist()
    assert counts == [3] * 70
    assert pa.compute.min(table.column("xmin")).as_py() >= 0
    plain = Detect(weights=Untrained(spec=small_spec), shards=drawn.test)
    assert "limits" not in describe(plain).config
    assert describe(replace(plain, limits=DetectionLimits(clip=True))).config != describe(plain).config
