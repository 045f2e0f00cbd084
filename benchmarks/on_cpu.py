"""What ssdpipe costs on a CPU, side by side with its peers, in parts; each writes its JSON as it goes.

    PYTHONPATH=.:benchmarks python benchmarks/on_cpu.py [--parts training suppression] [--out benchmarks/results/cpu]

    training      steps of SSD300 and of the tiny detector: ours, the bare network, torchvision's
    suppression   from predictions to boxes, with many and with few candidates: ours and torchvision's
    coco          the twelve numbers by each tool, with equal digits
    voc           the average precision of 254,590 detections on VOC2007 test, and 1,000 resamplings
    stages        trivial stages in process and on Ray, beside Ray's own tasks
    planning      CPU time and memory of `ssdpipe plan`
    verification  comparing a training's shards with their checksums
    growth        time and memory for each image from 1,000 to 100,000 images, and 2,000 stages: only when named

Sides take turns in every round; ratios are medians over the rounds, with the 10th and 90th percentile. `--small` runs
the same code in seconds. `make bench` runs these and input_pipeline.py, and renews README's table (readme_table.py).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch
from gpu.record import Options
from gpu.report import lines
from on_gpu import content_of

PARTS = ("training", "suppression", "coco", "voc", "stages", "planning", "verification")
WHEN_NAMED = ("growth",)
"""Parts that take longer; give them --seconds 1800."""

RESULTS = Path(__file__).parent / "results" / "cpu"


def main(arguments: list[str] | None = None) -> None:
    given = parsed(arguments)
    options = Options(
        device=torch.device("cpu"), data=given.data, out=given.out, small=given.small, seconds=given.seconds
    )
    options.out.mkdir(parents=True, exist_ok=True)
    for part in given.parts:
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
        print("\n".join(lines(part, content_of(part, options, package="cpu"))), flush=True)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=(*PARTS, *WHEN_NAMED), default=PARTS)
    parser.add_argument("--data", type=Path, default=Path(".gpu"), help="folder with `sample`, made by gpu/sample.py")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--small", action="store_true", help="tiny networks and few rounds")
    parser.add_argument("--seconds", type=float, default=300, help="time for each part")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
