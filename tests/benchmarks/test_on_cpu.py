"""The measurements of `make bench` run at small sizes, and write what they measure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import on_cpu
import pytest
import torch


def ran(part: str, out: Path) -> dict[str, Any]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        on_cpu.main(["--parts", part, "--small", "--data", str(out), "--out", str(out)])
    finally:
        torch.set_num_threads(threads)
    content: dict[str, Any] = json.loads((out / f"{part}.json").read_text())
    assert "error" not in content
    return content


def test_training_steps_are_compared_with_the_bare_network_and_torchvision(tmp_path: Path) -> None:
    content = ran("training", tmp_path)
    assert {"bare", "ours", "ours, bf16", "torchvision"} <= content["training"]["tiny"].keys()
    assert content["training"]["tiny"]["bare"]["of bare"] == 1


def test_suppression_is_compared_with_torchvision(tmp_path: Path) -> None:
    content = ran("suppression", tmp_path)
    assert content["suppression"].keys() == {"many candidates", "few candidates"}
    assert content["suppression"]["many candidates"]["ours"]["of torchvision"] > 0


def test_tools_of_coco_are_compared_after_their_digits(tmp_path: Path) -> None:
    content = ran("coco", tmp_path)
    assert content["10 images"]["twelve numbers"]["pycocotools"]["of pycocotools"] == 1
    assert content["10 images"]["with outcomes"]["hotcoco"]["seconds"] > 0


@pytest.mark.parametrize("part", ["voc", "stages", "verification"])
def test_the_other_measurements_of_one_process_run(part: str, tmp_path: Path) -> None:
    content = ran(part, tmp_path)
    assert len(content.keys() - {"conditions", "small", "seconds"}) >= 1


@pytest.mark.slow
def test_plans_are_measured_in_processes_of_their_own(tmp_path: Path) -> None:
    cost = ran("planning", tmp_path)["plan"]["all, preset tiny, empty store"]
    assert cost["cpu_seconds"] > 0.1
    assert 20 < cost["megabytes"] < 2000


@pytest.mark.slow
def test_growth_is_measured_in_processes_of_their_own(tmp_path: Path) -> None:
    content = ran("growth", tmp_path)
    for step in ("sharding", "reads", "detection", "VOC", "COCO"):
        few, more = content[step].values()
        assert few["CPU ms each"] > 0
        assert more["images"] > few["images"]
        assert "kB for each further image" in more
    assert content["20 stages, inline"]["chains"]["stages"] == 20
