"""The parts for a GPU run on a CPU at tiny sizes, and write what they measure as they go."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import on_gpu
import pytest
import torch
from gpu.comparison import close, same_choices, same_detections
from gpu.record import Options, Record
from gpu.report import shortened
from gpu.rounds import compared
from gpu.sample import chosen
from gpu.shards import noise_row, sample, split, write_shards
from gpu.trainings import Curve

from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import training_batches
from ssd_core.detection.decoding import Detections
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.vocabularies import VOC_CLASSES
from stages.shards.album import Album

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a sample of 40 images."""
    folder = tmp_path_factory.mktemp("data")
    write_shards(map(noise_row, range(40)), VOC_CLASSES, folder / "sample")
    return folder


def ran(part: str, data: Path, out: Path, *others: str) -> dict[str, Any]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads on busy cores are many times slower
    try:
        on_gpu.main(["--parts", part, "--small", "--device", "cpu", "--data", str(data), "--out", str(out), *others])
    finally:
        torch.set_num_threads(before)
    content: dict[str, Any] = json.loads((out / f"{part}.json").read_text())
    assert "error" not in content
    assert content["conditions"]["torch"] == torch.__version__
    return content


def test_on_the_cpu_all_checks_of_correctness_pass(data, tmp_path: Path, capsys):
    content = ran("correctness", data, tmp_path, "--seconds", "20")  # too few for the tests within this test
    assert content["all_passed"]
    assert content["operations"]["hard negatives"]["details"]["entries"] == 4 * 1866
    assert content["operations"]["decoding and suppression of equal predictions"]["details"]["detections"] > 100
    assert content["networks"]["tiny: detections, fp32"]["details"]["detections"] > 100
    assert content["trainings"]["losses of 5 steps, fp32"]["details"]["tensors"] == 2
    assert "all checks passed: True" in capsys.readouterr().out


def test_speed_has_each_side_with_its_ratio(data, tmp_path: Path):
    content = ran("speed", data, tmp_path)
    batch = content["training tiny fp32"]["batch 8"]
    assert batch.keys() == {"bare", "ours", "ours, dynamic shapes", "torchvision"}
    assert batch["bare"]["of bare"] == 1
    assert batch["ours"]["of bare"] == pytest.approx(
        batch["ours"]["images_per_second"] / batch["bare"]["images_per_second"]
    )  # with one round
    assert content["inference tiny fp32-channels_last"]["batch 2"]["to boxes, ours / torchvision"] > 0
    assert content["table 7"]["tiny fp32 batch 8"].keys() == {"detection", "forward", "end to end"}
    assert "failed" not in content


def test_input_compares_loader_processes_with_resident_batches(data, tmp_path: Path):
    content = ran("input", data, tmp_path)
    fed = content["training fp32, batch 4"]
    assert fed["1 processes"]["images_per_second"] > 0
    assert fed["1 processes"]["of resident batches"] > 0
    assert 0 < fed["0 processes"]["share of time waiting for input"] < 1
    assert content["input alone"].keys() == {f"{name}, {n} processes" for name in ("paper", "starred") for n in (0, 1)}


def test_a_part_that_fails_leaves_its_measurements_and_the_error(data, tmp_path: Path, monkeypatch):
    import gpu.input

    monkeypatch.setattr(gpu.input, "fed", lambda *_: 1 / 0)
    options = Options(device=torch.device("cpu"), data=data, out=tmp_path, small=True)
    content = on_gpu.content_of("input", options)
    assert "ZeroDivisionError" in content["error"]
    assert content["sample"] == {"images": "40 images of the sample"}
    assert json.loads((tmp_path / "input.json").read_text()) == content


def test_measurements_without_time_are_listed_as_skipped(tmp_path: Path):
    record = Record("input", Options(device=torch.device("cpu"), data=tmp_path, out=tmp_path, seconds=5))
    assert record.has_time("group", "short", 1)
    assert not record.has_time("group", "long", 60)
    assert json.loads((tmp_path / "input.json").read_text())["skipped"].keys() == {"group: long"}


def test_no_part_needs_a_package_that_the_gpu_machine_lacks():
    code = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("ray", "mlflow", "pycocotools", "beartype"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
import on_gpu, gpu.correctness, gpu.speed, gpu.input, gpu.suppression, gpu.groupnorm, gpu.learning
"""
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks'}"}
    )


def test_tensors_are_close_by_the_worst_of_them():
    reference = {"a": torch.tensor([3.0, 4.0]), "b": torch.ones(1)}
    check = close({"a": torch.tensor([3.0, 4.5]), "b": torch.ones(1)}, reference, 0.05)
    assert check.difference == pytest.approx(0.1)  # 0.5 / 5
    assert not check.passed
    assert not close({"a": torch.tensor([float("nan")] * 2), "b": torch.ones(1)}, reference, 0.05).passed


def test_choices_differ_by_the_share_of_entries():
    check = same_choices(torch.tensor([1, 2, 3, 4]), torch.tensor([1, 2, 3, 5]), 0.2)
    assert (check.difference, check.passed) == (0.25, False)


def test_detections_may_swap_ranks_only_at_nearly_equal_scores():
    boxes_xyxy = torch.tensor([[0.1, 0.1, 0.3, 0.3], [0.5, 0.5, 0.9, 0.9]])
    images, labels, scores = torch.zeros(2, dtype=torch.int64), torch.tensor([1, 2]), torch.tensor([0.5, 0.49999])
    found = Detections(images, labels, scores, boxes_xyxy)
    swapped = Detections(images, labels.flip(0), scores, boxes_xyxy.flip(0))
    assert same_detections(swapped, found, 0).passed
    assert not same_detections(swapped._replace(labels=labels), found, 0).passed
    assert not same_detections(swapped._replace(scores=torch.tensor([0.5, 0.4])), found, 0).passed
    fewer = Detections(*(values[:1] for values in found))
    assert same_detections(fewer, found, 0).difference == pytest.approx(1 / 3)  # one of three lacks a partner


def test_ratios_are_taken_round_by_round():
    seconds = {"bare": torch.tensor([1.0, 2.0, 4.0]).numpy(), "ours": torch.tensor([2.0, 4.0, 4.0]).numpy()}
    result = compared(seconds, 8, "bare")
    assert result["ours"]["of bare"] == 0.5
    assert result["ours"]["images_per_second"] == 2


def test_the_table_shows_rates_with_their_ratios_and_only_the_end_of_a_curve():
    assert shortened({"images_per_second": 1234.4, "of bare": 0.853, "rounds": 9}) == "1234/s (0.85 of bare)"
    assert shortened([{"loss": 3.0}, {"loss": 2.5, "details": {}}]) == "2 entries, the last: loss 2.5"


def test_noise_stands_in_for_an_absent_sample(tmp_path: Path):
    shards, description = sample(tmp_path / "absent", tmp_path / "noise")
    assert "absent" in description
    assert len(shards) == 192
    assert 50_000 < len(shards.row(0).image) < 130_000  # VOC's have about 90 kB


def test_the_sample_ends_before_its_limit_and_holds_images_with_objects():
    rows = [noise_row(number) for number in range(40)]
    album = Album(title="", classes=VOC_CLASSES, length=40, read=lambda number: None if number == 5 else rows[number])
    limit = sum(len(rows[number].image) for number in (0, 10, 15))
    assert [row.image_id for row in chosen(album, limit)] == ["noise0", "noise10", "noise15"]


def test_batches_are_cut_without_changing_images_or_objects(data):
    recipe = Recipe(batch_size=4)
    batch = next(training_batches(ShardSet(str(data / "sample")), recipe, stop=1))
    first, second = split([batch], 2)
    assert first.image_ids + second.image_ids == batch.image_ids
    assert torch.equal(torch.cat([first.images, second.images]), batch.images)
    for part, padded in ((first, slice(0, 2)), (second, slice(2, 4))):
        valid = batch.objects.valid[padded]
        assert part.objects.valid.shape[1] == valid.sum(dim=1).max()
        for own, values in zip(part.objects, batch.objects, strict=True):
            assert torch.equal(own[part.objects.valid], values[padded][valid])


def test_a_curve_keeps_the_losses_apart():
    curve = Curve()
    curve.point(1, {"loss": 3.0, "loss/location": 1.0, "loss/confidence": 2.0})
    assert curve.losses()["confidence"].tolist() == [2.0]


def test_suppression_has_each_way_with_its_share_of_the_forward_pass_and_equal_detections(data, tmp_path: Path):
    content = ran("suppression", data, tmp_path)
    assert content["all_passed"]
    batch = content["suppression"]["batch 2"]
    assert batch["forward"]["share of forward"] == 1
    for way in ("fixed shapes", "dynamic shapes"):
        assert batch[way]["share of forward"] == pytest.approx(batch[way]["ms"] / batch["forward"]["ms"])
        assert f"to boxes, {way}" in batch
    assert batch["torchvision"]["ms"] > 0
    assert "failed" not in content


def test_groupnorm_is_compared_with_the_network_without_it(data, tmp_path: Path):
    content = ran("groupnorm", data, tmp_path)
    sides = content["training"]["batch 4"]
    assert sides.keys() == {"bare", "without GroupNorm", "former copies", "contiguous"}
    assert sides["bare"]["of bare"] == 1
    assert "failed" not in content


def test_with_a_total_the_last_part_takes_the_time_that_is_left(monkeypatch, tmp_path: Path):
    given = {}
    monkeypatch.setattr(on_gpu, "content_of", lambda part, options: given.update({part: options.seconds}) or {})
    parts = ["--parts", "suppression", "groupnorm", "learning", "--device", "cpu", "--out", str(tmp_path)]
    on_gpu.main([*parts, "--seconds", "100", "--total", "150"])
    assert given == {"suppression": 100, "groupnorm": 100, "learning": pytest.approx(150, abs=5)}
