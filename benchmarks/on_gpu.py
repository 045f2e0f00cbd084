"""Everything that is worth measuring while a GPU is at hand, in parts; each writes its JSON as it goes.

    PYTHONPATH=. python benchmarks/on_gpu.py --parts correctness speed input --data .gpu --out results

    suppression  boxes from predictions: in fixed or dynamic shapes, as a CUDA graph, compiled, by torchvision
    groupnorm    what GroupNorm costs a training by layout, precision and compiler
    correctness  ssd_core on the GPU against the CPU, fp32 and bf16; waits for the GPU in a training step; the tests
    speed        images per second of training and inference: ours, torchvision's, bare convolutions; Table 7
    input        images per second by number of loader processes, and whether the GPU waits for them
    learning     SSD300 with GroupNorm from scratch on VOC2007, for the time that is left

--data holds `sample` (from gpu/sample.py) and `voc300` (from gpu/voc300.py). Needs neither Ray nor MLflow.
Parts run in the order given, each for at most --seconds; with --total the last one takes all the time that is left.
"""

from __future__ import annotations

import argparse
import json
import time
import traceback
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from gpu.record import Options
from gpu.report import lines

PARTS = ("correctness", "speed", "input", "suppression", "groupnorm", "learning")


def main(arguments: list[str] | None = None) -> None:
    options = parsed(arguments)
    shared = Options(
        device=torch.device(options.device),
        data=options.data,
        out=options.out,
        small=options.small,
        seconds=options.seconds,
    )
    shared.out.mkdir(parents=True, exist_ok=True)
    began, contents = time.monotonic(), dict[str, dict[str, Any]]()
    for part in options.parts:
        left = options.total - (time.monotonic() - began) if options.total else shared.seconds
        seconds = left if part == options.parts[-1] else min(left, shared.seconds)
        contents[part] = content_of(part, replace(shared, seconds=seconds))
    for part, content in contents.items():
        print("\n".join(lines(part, content)))


def content_of(part: str, options: Options, package: str = "gpu") -> dict[str, Any]:
    """Run one part; after an error, return what it has written, with the error, so that the other parts still run."""
    path = options.out / f"{part}.json"
    path.unlink(missing_ok=True)
    try:
        content: dict[str, Any] = import_module(f"{package}.{part}").measure(options)
    except Exception:
        traceback.print_exc()
        content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        content["error"] = traceback.format_exc()
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if options.device.type == "cuda":
        torch.cuda.empty_cache()
    return content


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS[:3])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--data", type=Path, default=Path(".gpu"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--small", action="store_true", help="tiny networks and few rounds")
    parser.add_argument("--seconds", type=float, default=230, help="time for each part")
    parser.add_argument("--total", type=float, help="time for all parts together")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
