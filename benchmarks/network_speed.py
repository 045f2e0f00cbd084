"""Images per second of SSD300 and of its form on the full VGG16 (Table 2, "no atrous"; the paper: about 20 % slower).

    python benchmarks/network_speed.py --batches 1 8 --repeats 50 --device cuda

Images lie on the device already. Measured are the forward pass, and the forward pass with decoding and suppression.
The networks take turns in every round, so that a change of the machine meets all; the ratio is the median over the
rounds. Without trained weights every score would be above the threshold: the bias of the background is raised until
about `--candidates` scores of an image are.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ssd_core.decoding import detections
from ssd_core.detection_limits import PAPER_LIMITS
from ssd_core.initial import first_detector
from ssd_core.model import Detector, Head
from ssd_core.precision import autocast
from ssd_core.spec import DetectorSpec, ssd300, ssd300_full_vgg, ssd512

NETWORKS: dict[str, Callable[[], DetectorSpec]] = {
    "ssd300": ssd300,
    "ssd300-full-vgg": ssd300_full_vgg,
    "ssd512": ssd512,
}


def main() -> None:
    options = parsed()
    device = torch.device(options.device)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    detectors = {
        name: first_detector(NETWORKS[name](), seed=0).to(device).to(memory_format=layout).eval()
        for name in options.networks
    }
    tell_conditions(options, device)
    for detector in detectors.values():
        quieten(detector, noise(detector, 1, device), options.candidates)
    for batch in options.batches:
        measure(detectors, batch, options, device)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=["ssd300", "ssd300-full-vgg"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--candidates", type=int, default=1000, help="scores of an image above the threshold")
    return parser.parse_args()


def tell_conditions(options: argparse.Namespace, device: torch.device) -> None:
    name = f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    if device.type == "cuda":
        name = f"{torch.cuda.get_device_name(device)}, TF32 convolutions {torch.backends.cudnn.allow_tf32}"
    layout = "channels last" if options.channels_last else "channels first"
    print(f"torch {torch.__version__}, {device.type} ({name}), {options.precision}, {layout}")
    print(f"{options.repeats} rounds after {options.warmup} for warming up, {options.candidates} candidates an image")


def noise(detector: Detector, batch: int, device: torch.device) -> Tensor:
    size = detector.spec.input_size
    pixels = torch.randint(0, 256, (batch, 3, size, size), generator=torch.Generator().manual_seed(1))
    return pixels.to(device, torch.uint8)


@torch.no_grad()
def quieten(detector: Detector, images: Tensor, candidates: int) -> None:
    """Raise the background's bias until about so many scores of an image are above the threshold."""
    logits = detector(images)[1]
    background = torch.zeros(detector.spec.class_count, device=logits.device)
    low, high = 0.0, 1e4
    for _ in range(40):
        background[0] = (low + high) / 2
        above = ((logits + background).softmax(dim=2)[:, :, 1:] > PAPER_LIMITS.min_score).sum() / len(images)
        low, high = (background[0].item(), high) if above > candidates else (low, background[0].item())
    for head in detector.modules():
        if isinstance(head, Head) and head.logits.bias is not None:
            head.logits.bias.view(-1, detector.spec.class_count).add_(background)


@torch.no_grad()
def measure(detectors: dict[str, Detector], batch: int, options: argparse.Namespace, device: torch.device) -> None:
    """Print the table of one batch size."""
    images = {name: noise(detector, batch, device) for name, detector in detectors.items()}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in detectors}
    for turn in range(options.warmup + options.repeats):
        for name, detector in detectors.items():
            with autocast(options.precision, device):
                times = one_pass(detector, images[name], device)
            if turn >= options.warmup:
                seconds[name].append(times)
    reference = np.array(next(iter(seconds.values())))
    print(f"\nbatch {batch:<16} {'':9} median ms      p90   images/s   of {next(iter(seconds))}")
    for name, rounds in seconds.items():
        for column, what in enumerate(("forward", "to boxes")):
            spent = np.array(rounds)[:, column]
            middle, slow = np.percentile(spent, [50, 90])
            ratio = np.median(reference[:, column] / spent)
            print(f"{name:22} {what:9} {middle * 1e3:9.1f} {slow * 1e3:8.1f} {batch / middle:10.2f} {ratio:10.2f}")


def one_pass(detector: Detector, images: Tensor, device: torch.device) -> tuple[float, float]:
    """Seconds of the forward pass, and from images to detections."""
    began = now(device)
    locations, logits = detector(images)
    forward = now(device)
    detections(locations, logits, detector.default_boxes, detector.spec.variances)
    return forward - began, now(device) - began


def now(device: torch.device) -> float:
    """The clock when the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


if __name__ == "__main__":
    main()
