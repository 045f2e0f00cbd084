"""Report on the cells of the comparison: means and standard deviations over seeds, differences seed by seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import mean, stdev
from typing import Any

Result = dict[str, Any]
Side = tuple[str, str, str]
"""Whose loss, augmentation and detection code is used."""

OURS: Side = ("ours", "ours", "ours")
THEIRS: Side = ("torchvision", "torchvision", "torchvision")


WHAT_DIFFERS = (
    "",
    "## What differs",
    "",
    "Equal: network, initial weights of each seed, default boxes, images and their order, batch size, optimiser,",
    "learning rates, iterations, N of the loss over the batch, three negatives for each matched box, the evaluator.",
    "",
    "- Loss: the matching of default boxes to objects. Ours gives every object its own box, highest overlap first;",
    "  torchvision's gives each object its best box, and if two objects share it, the later one gets it.",
    "- Augmentation: colours (torchvision's multiplies by its brightness instead of adding, and swaps channels), the",
    "  crop (ours draws scale and aspect ratio, torchvision's both sides; ours may miss all objects, torchvision's",
    "  counts those whose centre lies inside), and one of five interpolations against bilinear. Both zoom out with",
    "  probability 1/2, by up to 4.",
    "- Detection: torchvision's clips boxes to the image and resizes in floating point. Thresholds are equal.",
)


def table(results: Sequence[Result]) -> str:
    """Return Markdown: for each data set its conditions, each side's results, and the differences to ours."""
    lines = [
        "# The same network, trained and used by our code and by torchvision's",
        "",
        "mAP in percent at an overlap of 0.5: mean over the seeds ± standard deviation; the difference to ours is",
        "computed seed by seed. Each training is scored with both sides' detection code.",
    ]
    for trial in dict.fromkeys(result["trial"] for result in results):
        chosen = [result for result in results if result["trial"] == trial]
        lines += ["", f"## {trial}", "", *_conditions(chosen[0]), "", *_rows(chosen)]
    return "\n".join([*lines, *WHAT_DIFFERS]) + "\n"


def _conditions(result: Result) -> Iterator[str]:
    images = result["iterations"] * result["batch_size"]
    yield (
        f"{len(result['classes'])} classes ({', '.join(result['classes'])}), {result['train_images']} training and "
        f"{result['test_images']} test images, input {result['input_size']}, {result['iterations']} iterations of "
        f"{result['batch_size']} ({images / result['train_images']:.0f} epochs); {result['device']}, torch "
        f"{result['torch']}, torchvision {result['torchvision']}."
    )


def _rows(results: Sequence[Result]) -> Iterator[str]:
    yield "| loss | augmentation | detection | seeds | mAP, 11 points | mAP, area | difference, 11 points | training |"
    yield "|---|---|---|---:|---:|---:|---:|---:|"
    trained = dict.fromkeys((result["loss"], result["augment"]) for result in results)
    ours = _numbers(results, OURS, "map_11point")
    for (loss, augment), detection in product(trained, ("ours", "torchvision")):
        side = (loss, augment, detection)
        numbers = _numbers(results, side, "map_11point")
        area = _numbers(results, side, "map_area")
        change = [numbers[seed] - ours[seed] for seed in numbers if seed in ours]
        minutes = mean(result["training_seconds"] for result in results if _is_of(result, side)) / 60
        difference = "" if side == OURS else _spread(change, sign="+")
        mark = "**" if side in (OURS, THEIRS) else ""
        yield (
            f"| {loss} | {augment} | {detection} | {len(numbers)} | {mark}{_spread(list(numbers.values()))}{mark} "
            f"| {_spread(list(area.values()))} | {difference} | {minutes:.1f} min |"
        )


def _numbers(results: Sequence[Result], side: Side, name: str) -> dict[int, float]:
    """Values by seed, in percent."""
    return {result["seed"]: 100 * result["detection"][side[2]][name] for result in results if _is_of(result, side)}


def _is_of(result: Result, side: Side) -> bool:
    return (result["loss"], result["augment"]) == side[:2]


def _spread(values: Sequence[float], sign: str = "") -> str:
    spread = f" ± {stdev(values):.1f}" if len(values) > 1 else ""
    return f"{mean(values):{sign}.1f}{spread}" if values else ""
