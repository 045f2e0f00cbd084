"""Images per second of SSD300 and of its variant on the full VGG16 (Table 2, "no atrous": about 20 % slower).

    python benchmarks/network_speed.py --batches 1 8 --repeats 50 --device cuda

Images are already on the device. Measured are the forward pass, and the forward pass with decoding and suppression. The
networks take turns in every round, so that changes in the machine's load affect all; the ratio is the median over the
rounds. Weights are random, with the background bias raised until about `--candidates` scores per image are above the
threshold. For the speed of trained weights on shards, see stages/speed/stages.py.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial

import torch

from ssd_core.detection.speed import (
    Runner,
    Speed,
    arithmetic,
    in_turns,
    noise,
    quieten,
    relative_to_first,
    unsupported_reason,
)
from ssd_core.detection.speed_modes import SpeedMode
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import ssd300, ssd300_full_vgg, ssd512
from ssd_core.weights.initial import initial_detector

NETWORKS: dict[str, Callable[[], DetectorSpec]] = {
    "ssd300": ssd300,
    "ssd300-full-vgg": ssd300_full_vgg,
    "ssd512": ssd512,
}


def main() -> None:
    options = parsed()
    device = torch.device(options.device)
    mode = SpeedMode(precision=options.precision, channels_last=options.channels_last, compiled=options.compiled)
    if reason := unsupported_reason(mode, device):
        raise SystemExit(reason)
    print_conditions(options, mode, device)
    runners = {name: runner_of(NETWORKS[name](), mode, device, options.candidates) for name in options.networks}
    for batch in options.batches:
        measure(runners, batch, options, mode)


def runner_of(spec: DetectorSpec, mode: SpeedMode, device: torch.device, candidates: int) -> Runner:
    detector = initial_detector(spec, seed=0).to(device).eval()
    quieten(detector, noise(detector, 1).to(device), candidates)
    return Runner(detector, mode, device)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=["ssd300", "ssd300-full-vgg"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--candidates", type=int, default=1000, help="scores per image above the threshold")
    return parser.parse_args()


def print_conditions(options: argparse.Namespace, mode: SpeedMode, device: torch.device) -> None:
    name = f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    print(f"torch {torch.__version__}, {device.type} ({name}), {mode.name}")
    print(f"{options.repeats} rounds after {options.warmup} warm-up rounds, {options.candidates} candidates per image")


def measure(runners: dict[str, Runner], batch: int, options: argparse.Namespace, mode: SpeedMode) -> None:
    """Measure one batch size and print its table."""
    works: dict[str, dict[str, Callable[[], object]]] = {"forward": {}, "to boxes": {}}
    for name, runner in runners.items():
        images = runner.placed(noise(runner.detector, batch))
        works["forward"][name] = partial(runner.forward, images)
        works["to boxes"][name] = partial(runner.detect, images)
    first = next(iter(runners))
    print(f"\nbatch {batch:<16} {'':9} median ms      p90   images/s   of {first}")
    for what, each in works.items():
        device = runners[first].device
        with arithmetic(mode, device):
            seconds = in_turns(each, device, warmup=options.warmup, timed=options.repeats)
        ratios = relative_to_first(seconds)
        for name, values in seconds.items():
            speed = Speed.of(values, batch)
            rate = f"{speed.images_per_second:10.2f} {ratios[name]:10.2f}"
            print(f"{name:22} {what:9} {speed.p50_ms:9.1f} {speed.p90_ms:8.1f} {rate}")


if __name__ == "__main__":
    main()
