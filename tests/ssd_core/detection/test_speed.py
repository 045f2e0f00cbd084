"""Times of workloads that take turns, and the speeds computed from them."""

from __future__ import annotations

import time
from itertools import count

import numpy as np
import pytest
import torch

from ssd_core.detection.decoding import detect
from ssd_core.detection.speed import (
    Runner,
    Speed,
    arithmetic,
    candidates_per_image,
    in_turns,
    noise,
    quieten,
    relative_to_first,
    stream_seconds,
    unsupported_reason,
)
from ssd_core.detection.speed_modes import MODES, PLAIN, SpeedMode
from ssd_core.weights.initial import initial_detector

CPU = torch.device("cpu")


def test_a_speed_is_total_images_over_total_time():
    speed = Speed.of(np.array([0.1, 0.1, 0.4]), batch=8)
    assert speed.images_per_second == pytest.approx(24 / 0.6)
    assert speed.p50_ms == pytest.approx(100)
    assert speed.p90_ms == pytest.approx(340)  # between the second and the third: 100 + 0.8 * 300


def test_workloads_take_turns_and_the_first_rounds_do_not_count():
    done, rounds = [], []
    works = {"a": lambda: done.append("a"), "b": lambda: done.append("b")}
    seconds = in_turns(works, CPU, warmup=2, timed=3, after_round=lambda: rounds.append(len(done)))
    assert "".join(done) == "ab" * 5
    assert rounds == [2, 4, 6, 8, 10]
    assert [len(values) for values in seconds.values()] == [3, 3]


def test_a_workload_that_sleeps_ten_times_as_long_takes_ten_times_as_long():
    works = {"short": lambda: time.sleep(0.004), "long": lambda: time.sleep(0.04)}
    seconds = in_turns(works, CPU, warmup=1, timed=3)
    assert relative_to_first(seconds)["short"] == 1
    assert seconds["long"].min() >= 0.04
    assert relative_to_first(seconds)["long"] < 0.5


def test_the_time_of_a_stream_includes_reading_and_detecting():
    detector = initial_detector(_spec(), 0).eval()
    quieten(detector, noise(detector, 1), 10)
    read = []

    def batches():
        for number in count():
            time.sleep(0.02)
            read.append(number)
            yield noise(detector, 1)

    def slow(images):
        time.sleep(0.01)
        return detect(detector, images)

    seconds = stream_seconds(slow, batches(), warmup=2, timed=3, after_batch=lambda: None)
    assert read == [0, 1, 2, 3, 4]
    assert len(seconds) == 3
    assert seconds.min() >= 0.03


def test_random_weights_are_quietened_to_about_the_requested_candidates():
    detector = initial_detector(_spec(), 0).eval()
    images = noise(detector, 4)
    with torch.no_grad():
        before = candidates_per_image(detector(images)[1], 0.01)
        quieten(detector, images, 50)
        after = candidates_per_image(detector(images)[1], 0.01)
    assert before > 300
    assert after == pytest.approx(50, abs=2)


@pytest.mark.parametrize("mode", [PLAIN, SpeedMode(channels_last=True)], ids=lambda mode: mode.name)
def test_the_timed_work_yields_the_detections_of_the_detector(mode):
    images = noise(initial_detector(_spec(), 0), 2)
    expected = detect(initial_detector(_spec(), 0).eval(), images)
    runner = Runner(initial_detector(_spec(), 0), mode, CPU)
    with arithmetic(mode, CPU):
        found = runner.detect(runner.placed(images))
        assert runner.backbone(images).shape == (2, 32, 4, 4)
    torch.testing.assert_close(found.scores, expected.scores, rtol=1e-4, atol=1e-5)


def test_fp32_disables_tf32_and_the_setting_is_restored():
    before = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark
    with arithmetic(SpeedMode(precision="tf32"), CPU):
        assert torch.backends.cudnn.allow_tf32
    with arithmetic(PLAIN, CPU):
        assert not torch.backends.cudnn.allow_tf32
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark) == before


def test_a_cpu_has_no_tf32_and_any_device_computes_in_fp32():
    assert "Ampere" in unsupported_reason(SpeedMode(precision="tf32"), CPU)
    assert unsupported_reason(PLAIN, CPU) == ""


def test_modes_have_distinct_names():
    assert [mode.name for mode in MODES] == [
        "fp32",
        "tf32",
        "bf16",
        "bf16-channels_last",
        "bf16-channels_last-compiled",
    ]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_a_workload_is_timed_to_its_end():
    matrix = torch.rand(4096, 4096, device="cuda")
    seconds = in_turns(
        {"one": lambda: matrix @ matrix, "ten": _ten_times(matrix)}, torch.device("cuda"), warmup=3, timed=5
    )
    assert relative_to_first(seconds)["ten"] < 0.3


def _ten_times(matrix):
    return lambda: [matrix @ matrix for _ in range(10)]


def _spec():
    from ssd_core.spec.detector import DetectorSpec, Scale, Source, Vgg16

    return DetectorSpec(
        input_size=64,
        classes=("a", "b", "c"),
        backbone=Vgg16(channels=(8, 8, 16, 16, 16), fc_channels=32, dilation=1),
        extras=(),
        sources=(
            Source(layer="conv4_3", step=8, scales=(Scale(size=13, next_size=26, ratios=(2,)),)),
            Source(layer="conv7", step=16, scales=(Scale(size=26, next_size=48, ratios=(2,)),)),
        ),
        norm_groups=4,
    )
