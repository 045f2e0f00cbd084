"""Compare the objects of drawn images with those of VOC2007: `python benchmarks/drawn_statistics.py --voc VOC2007`.

Without VOC2007, only the drawn images are measured. Writes docs/drawn-images.svg and prints the table of its page. With
`--quantiles`, prints the numbers of stages/drawn/statistics.py instead.
"""

from __future__ import annotations

import argparse
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from stages.datasets.xml.voc_xml import CORNERS
from stages.drawn.draw import Draw
from stages.drawn.files import STREAMS
from stages.drawn.placing import Box
from stages.drawn.scene import draw_scene
from stages.drawn.statistics import LEVELS, RATIOS_UP_TO, SCALES_UP_TO, SHARES_UP_TO, image_size
from stages.figures.style import BAD, GOOD, new_figure, plain_axes, to_svg

FLAGS = ("truncated", "difficult")
BORDER = 2
"""Distance from the border, in pixels, up to which a box touches it."""


@dataclass(frozen=True)
class Object:
    box_xyxy: Box
    truncated: bool
    difficult: bool


Image = tuple[int, int, Sequence[Object]]
"""Width, height, objects."""


@dataclass(frozen=True)
class Statistics:
    """One number for each image, and for each object."""

    counts: ndarray
    shapes: ndarray
    """Width over height of images."""

    beside: ndarray
    """Number of objects in the object's image, itself included."""

    scales: ndarray
    ratios: ndarray
    truncated: ndarray
    difficult: ndarray
    at_border: ndarray
    covered: ndarray
    """Largest share of the object's box that another box covers."""

    @property
    def elongations(self) -> ndarray:
        """Longer side over the shorter one."""
        longer: ndarray = np.maximum(self.ratios, 1 / self.ratios)
        return longer


def voc_images(folder: Path) -> Iterator[Image]:
    """Images of trainval; the project's own reader does not read what is truncated."""
    for name in (folder / "ImageSets/Main/trainval.txt").read_text().split():
        root = ElementTree.parse(folder / "Annotations" / f"{name}.xml").getroot()
        objects = [Object(corners(item), *(flag(item, name) for name in FLAGS)) for item in root.iter("object")]
        yield int(root.findtext("size/width", "0")), int(root.findtext("size/height", "0")), objects


def corners(item: ElementTree.Element) -> Box:
    xmin, ymin, xmax, ymax = (round(float(item.findtext(f"bndbox/{side}", ""))) for side in CORNERS)
    return xmin, ymin, xmax, ymax


def flag(item: ElementTree.Element, name: str) -> bool:
    return item.findtext(name, "0") == "1"


def drawn_images(count: int) -> Iterator[Image]:
    """Training images of the default data set."""
    for number in range(count):
        rng = np.random.default_rng([Draw.seed, STREAMS["train"], number])
        height, width = image_size(Draw.sides, rng)
        objects = draw_scene(height, width, rng).objects
        yield width, height, [Object(item.box_xyxy, item.truncated, item.difficult) for item in objects]


def statistics(images: Iterable[Image]) -> Statistics:
    listed = list(images)
    rows = [row for image in listed for row in object_rows(image)]
    return Statistics(
        np.array([len(objects) for _, _, objects in listed]),
        np.array([width / height for width, height, _ in listed]),
        *np.array(rows, np.float64).T,
    )


def object_rows(image: Image) -> Iterator[tuple[float, ...]]:
    width, height, objects = image
    for item in objects:
        xmin, ymin, xmax, ymax = item.box_xyxy
        wide, high = xmax - xmin + 1, ymax - ymin + 1
        touches = xmin <= BORDER or ymin <= BORDER or xmax > width - BORDER or ymax > height - BORDER
        shared = max((overlap(item.box_xyxy, other.box_xyxy) for other in objects if other is not item), default=0)
        yield (
            len(objects),
            (wide * high / (width * height)) ** 0.5,
            wide / high,
            item.truncated,
            item.difficult,
            touches,
            shared / (wide * high),
        )


def overlap(one: Box, other: Box) -> float:
    """Area that two boxes share, in pixels."""
    width = min(one[2], other[2]) - max(one[0], other[0]) + 1
    height = min(one[3], other[3]) - max(one[1], other[1]) + 1
    return max(width, 0) * max(height, 0)


ROWS: dict[str, Callable[[Statistics], float]] = {
    "objects in an image, mean": lambda found: found.counts.mean(),
    "images with one object, %": lambda found: 100 * (found.counts == 1).mean(),
    "images with more than four, %": lambda found: 100 * (found.counts > 4).mean(),
    "scale (root of the share of the image), 10 % below": lambda found: np.quantile(found.scales, 0.1),
    "scale, median": lambda found: np.median(found.scales),
    "scale, 10 % above": lambda found: np.quantile(found.scales, 0.9),
    "longer side over shorter above 1.5, %": lambda found: 100 * (found.elongations > 1.5).mean(),
    "longer side over shorter above 2, %": lambda found: 100 * (found.elongations > 2).mean(),
    "longer side over shorter above 3, %": lambda found: 100 * (found.elongations > 3).mean(),
    "higher than wide, %": lambda found: 100 * (found.ratios < 1).mean(),
    "truncated at the border, %": lambda found: 100 * ((found.truncated > 0) & (found.at_border > 0)).mean(),
    "touching the border, %": lambda found: 100 * found.at_border.mean(),
    "covered by another box, a tenth and more, %": lambda found: 100 * (found.covered >= 0.1).mean(),
    "covered by another box, half and more, %": lambda found: 100 * (found.covered >= 0.5).mean(),
    "difficult, %": lambda found: 100 * found.difficult.mean(),
    "difficult among scales below 0.1, %": lambda found: 100 * found.difficult[found.scales < 0.1].mean(),
    "images higher than wide, %": lambda found: 100 * (found.shapes < 1).mean(),
}


def table(sets: dict[str, Statistics]) -> Iterator[str]:
    """Lines of the table in docs/drawn-images.md."""
    yield "| | " + " | ".join(sets) + " |"
    yield "|---" * (len(sets) + 1) + "|"
    for name, number in ROWS.items():
        numbers = (number(found) for found in sets.values())
        yield f"| {name} | " + " | ".join(f"{each:.3g}" for each in numbers) + " |"


def figure(sets: dict[str, Statistics]) -> Any:
    """Histograms: steps for each set, in percent of its images or objects."""
    panels: dict[str, tuple[Callable[[Statistics], ndarray], ndarray]] = {
        "objects in an image": (lambda found: found.counts.clip(max=15), np.arange(0.5, 16.5)),
        "scale of an object": (lambda found: found.scales, np.linspace(0, 1, 21)),
        "width over height (log 2)": (lambda found: np.log2(found.ratios).clip(-3, 3), np.linspace(-3, 3, 25)),
        "share of the box that another covers": (lambda found: found.covered, np.linspace(0, 1, 11)),
        "scale of difficult objects": (lambda found: found.scales[found.difficult > 0], np.linspace(0, 1, 21)),
        "scale of objects cut by the border": (
            lambda found: found.scales[(found.truncated > 0) & (found.at_border > 0)],
            np.linspace(0, 1, 21),
        ),
    }
    drawn = new_figure(9.6, 5.2)
    for axes, (title, (values, edges)) in zip(drawn.subplots(2, 3).flat, panels.items(), strict=True):
        for (name, found), colour in zip(sets.items(), (GOOD, BAD), strict=False):
            each = values(found)
            axes.stairs(100 * np.histogram(each, edges)[0] / len(each), edges, color=colour, label=name, linewidth=1.6)
        plain_axes(axes, f"{title}, %", values="y")
    drawn.axes[0].legend(fontsize=8, frameon=False)
    return drawn


def quantiles(found: Statistics) -> Iterator[str]:
    """The numbers of stages/drawn/statistics.py."""
    counts = [(found.counts == count).mean() for count in range(1, 20)]
    yield literal("COUNTS", [*counts, (found.counts >= 20).mean()], 4)
    yield literal("IMAGE_SHAPES", np.quantile(np.minimum(found.shapes, 1 / found.shapes), LEVELS))
    for rows in between(found.beside, (0, *SCALES_UP_TO)):
        yield literal("SCALES", np.quantile(found.scales[rows], LEVELS))
    for rows in between(found.scales, (0, *RATIOS_UP_TO)):
        yield literal("RATIOS", np.quantile(found.ratios[rows], LEVELS), 2)
    cut = (found.truncated > 0) & (found.at_border > 0)
    for name, values in (("DIFFICULT", found.difficult), ("CUT", cut)):
        yield literal(name, [values[rows].mean() for rows in between(found.scales, (0, *SHARES_UP_TO))], 2)


def between(values: ndarray, bounds: Sequence[float]) -> Iterator[ndarray]:
    """Masks of the values above each bound and up to the next."""
    for low, high in zip(bounds, (*bounds[1:], np.inf), strict=True):
        yield (values > low) & (values <= high)


def literal(name: str, values: Iterable[float], digits: int = 3) -> str:
    return f"{name}: ({', '.join(f'{value:.{digits}f}' for value in values)})"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--voc", type=Path, help="VOC2007, with Annotations and ImageSets")
    options.add_argument("--images", type=int, default=5000, help="how many images to draw")
    options.add_argument("--quantiles", action="store_true")
    options.add_argument("--out", type=Path, default=Path("docs/drawn-images.svg"))
    chosen = options.parse_args()
    sets = {"VOC2007": statistics(voc_images(chosen.voc))} if chosen.voc else {}
    if chosen.quantiles:
        print("\n".join(quantiles(sets["VOC2007"])))
        return
    sets["drawn"] = statistics(drawn_images(chosen.images))
    print("\n".join(table(sets)))
    chosen.out.write_bytes(to_svg(figure(sets)))


if __name__ == "__main__":
    main()
