"""Two trainings side by side: the settings in which they differ, and the trainings between them.

Tested in tests/experiments/framework/search/test_sides.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from pipeline.errors import PipelineError
from pipeline.overrides import distinct_labels
from pipeline.planning.graph import Graph
from pipeline.stage import Stage
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from ssd_core.spec.recipe import Recipe
from stages.detection.detect import Detect
from stages.evaluation.evaluate import Evaluate
from stages.evaluation.protocol import Protocol
from stages.graphs import Evaluation, scored, trained
from stages.placement import Placement
from stages.training.train import Train

NO_SETTINGS = ("recipe.seed", "recipe.keep_every")
"""Fields that make no difference to explain: the noise, and what is kept."""

BACKBONE, INITIAL = "recipe.spec.backbone", "initial"
SHOWN = {INITIAL: "initial weights", "shards": "training images"}


@dataclass(frozen=True, kw_only=True)
class Side:
    """What a training and its score are made from."""

    recipe: Recipe
    shards: Stage
    initial: Stage | None
    limits: DetectionLimits = PAPER_LIMITS


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """How both sides are scored."""

    test: Stage
    protocol: Protocol
    allow_trained_images: bool


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting that differs, or several that cannot be changed one by one."""

    paths: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        return " and ".join(map(_named, self.paths))


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two trainings, and how they are scored."""

    a: Side
    b: Side
    scoring: Scoring
    preset: str
    name: str
    """First part of the variants of its trainings."""

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Settings that differ, in an order in which one after another can be taken from B."""
        differing = {path: (old, new) for path, old, new in differences(self.a, self.b) if path not in NO_SETTINGS}
        groups: list[list[str]] = [[]]
        for paths in _inseparable(differing):
            groups[-1] += paths
            if self._is_possible([each for group in groups for each in group]):
                groups.append([])
        return tuple(
            Setting(paths=tuple(group), text="; ".join(_change(path, *differing[path]) for path in group))
            for group in groups
            if group
        )

    def between(self, chosen: Collection[Setting]) -> Side:
        """A with the chosen settings of B. Raises ValueError for settings that do not fit together."""
        side = merged(self.a, self.b, {path for setting in chosen for path in setting.paths})
        assert isinstance(side, Side)
        return side

    def evaluation(self, chosen: Collection[Setting], label: str, seed: int, placement: Placement) -> Evaluation:
        """The score of the training between A and B. Raises PipelineError for settings that do not fit together."""
        try:
            side = self.between(chosen)
        except (ValueError, ArithmeticError) as error:
            raise PipelineError(f"{label} is no training: {error}") from error
        variant = f"{self.name}/{label}"
        tags = {"label": label, "variant": variant, "seed": str(seed), "preset": self.preset}
        training = trained(
            replace(side.recipe, seed=seed, keep_every=0),
            shards=side.shards,
            initial=side.initial,
            variant=f"{variant}/seed{seed}",
            tags=tuple(tags.items()),
            placement=placement,
        )
        return scored(
            training,
            test=self.scoring.test,
            variant=training.variant,
            training=training,
            placement=placement,
            protocol=self.scoring.protocol,
            limits=side.limits,
            allow_trained_images=self.scoring.allow_trained_images,
        )

    def _is_possible(self, paths: Collection[str]) -> bool:
        try:
            merged(self.a, self.b, paths)
        except (ValueError, ArithmeticError):
            return False
        return True


def side_of(graph: Graph, address: str) -> tuple[Side, Scoring, str]:
    """A training of a graph, how it is scored there, and its preset. Raises PipelineError without a score."""
    training = graph.nodes[graph.find(address).id].stage
    assert isinstance(training, Train)
    stages = [node.stage for node in graph.nodes.values()]
    of_training = (each for each in stages if isinstance(each, Evaluation) and each.training == training)
    for evaluation in of_training:
        if isinstance(detections := evaluation.detections, Detect):
            side = Side(
                recipe=training.recipe,
                shards=training.shards,
                initial=training.initial,
                limits=detections.limits,
            )
            scoring = Scoring(
                test=evaluation.shards,
                protocol=_protocol(evaluation),
                allow_trained_images=detections.allow_trained_images,
            )
            return side, scoring, dict(training.tags).get("preset", "full")
    raise PipelineError(f"{address} is not scored by the command that trained it: there is nothing to compare")


def pair_of(a: tuple[Side, Scoring, str], b: tuple[Side, Scoring, str], name: str) -> Pair:
    """Raises PipelineError for trainings whose scores cannot be compared."""
    if a[0].recipe.spec.classes != b[0].recipe.spec.classes or a[1] != b[1]:
        raise PipelineError(
            "A and B detect other classes or are scored on other images, by another protocol or with images that were "
            "trained on: their scores do not differ by settings alone"
        )
    pair = Pair(a=a[0], b=b[0], scoring=a[1], preset=a[2], name=name)
    if not pair.settings:
        raise PipelineError("A and B have equal settings (except for seed and keep_every): there is nothing to find")
    return pair


def differences(a: Any, b: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Smallest parts that differ: (path, value of A, value of B)."""
    if a == b:
        return
    parts = _parts(a, b)
    if parts is None:
        yield path, a, b
        return
    for name, (old, new) in parts.items():
        yield from differences(old, new, f"{path}.{name}".lstrip("."))


def merged(a: Any, b: Any, paths: Collection[str], path: str = "") -> Any:
    """A with the parts at these paths from B. Raises ValueError for parts that do not fit together."""
    if a == b or path in paths:
        return b if path in paths else a
    parts = _parts(a, b)
    if parts is None:
        return a
    values = {name: merged(*pair, paths, f"{path}.{name}".lstrip(".")) for name, pair in parts.items()}
    return replace(a, **values) if is_dataclass(a) and not isinstance(a, type) else tuple(values.values())


def _parts(a: Any, b: Any) -> dict[str, tuple[Any, Any]] | None:
    """Parts of two values by name; None if they are compared as wholes."""
    if type(a) is not type(b) or isinstance(a, Stage):
        return None
    if is_dataclass(a):
        names = [item.name for item in fields(a) if item.init]
        return {name: (getattr(a, name), getattr(b, name)) for name in names}
    if isinstance(a, tuple) and len(a) == len(b) and all(map(is_dataclass, (*a, *b))):
        labels = distinct_labels(a)
        if labels == distinct_labels(b):
            return dict(zip(labels, zip(a, b, strict=True), strict=True))
    return None


def _inseparable(paths: Collection[str]) -> Iterator[list[str]]:
    """Each path alone, but those of a backbone together with the initial weights, which fit no other."""
    of_backbone = [path for path in paths if f"{path}.".startswith(f"{BACKBONE}.")]
    together = [*of_backbone, INITIAL] if of_backbone and INITIAL in paths else []
    yield from ([path] for path in paths if path not in together)
    if together:
        yield together


def _named(path: str) -> str:
    """A path as `-s` takes it."""
    return SHOWN.get(path, path.removeprefix("recipe."))


def _change(path: str, old: Any, new: Any) -> str:
    return f"{_named(path)}: {_text(old)} → {_text(new)}"


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Stage):
        return value.address
    if isinstance(value, tuple):
        names = distinct_labels(value) if value and is_dataclass(value[0]) else [_text(each) for each in value]
        return f"({', '.join(names)})"
    return type(value).__name__ if is_dataclass(value) else str(value)


def _protocol(evaluation: Evaluation) -> Protocol:
    if not isinstance(evaluation, Evaluate):
        return "coco"
    return "ilsvrc" if evaluation.pixel_tolerance else "voc"
