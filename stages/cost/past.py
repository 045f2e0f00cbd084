"""What past runs cost: seconds and bytes of a store's results, and the devices they ran on.

Tested in tests/stages/cost/test_cost.py.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from importlib import import_module
from typing import Any, Literal, get_type_hints

from pipeline.errors import PipelineError
from pipeline.store.record import Point, read_curve
from pipeline.store.store import Manifest, Store
from stages.cost.work import FORWARD, TRAINING, Work, sharded_images

Device = Literal["gpu", "cpu"]


@dataclass(frozen=True, kw_only=True)
class PastRun:
    """One committed result."""

    stage: str
    """Full name of the stage's class."""

    work: Work | None
    device: Device
    device_name: str
    device_seconds: float
    """Seconds times the GPUs it occupied, or the CPUs if it had no GPU."""

    start: float = 0.0
    """The part of `device_seconds` that a training of any length takes: processes, imports, the first batch."""

    size: int
    """Bytes of its files."""

    @property
    def flops(self) -> float:
        """Operations; 0 if unknown, or if the recorded settings describe no network."""
        try:
            return self.work.flops if self.work and self.work.spec else 0.0
        except (PipelineError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return 0.0  # settings that this version would not have accepted


def past_runs(store: Store) -> list[PastRun]:
    """Results whose manifests record the resources they occupied, oldest first.

    A result that was resumed after a crash is skipped: its seconds cover the last attempt only.
    """
    by_key = {manifest.key: manifest for manifest in store.manifests()}
    usable = [each for each in by_key.values() if "resources" in each.provenance]
    curves = ((each, read_curve(store.output(each))) for each in usable)
    return [_past(each, curve, by_key, store) for each, curve in curves if not _resumed(each, curve)]


def _past(manifest: Manifest, curve: Sequence[Point], by_key: Mapping[str, Manifest], store: Store) -> PastRun:
    resources, machine = manifest.provenance["resources"], manifest.provenance["machine"]
    gpus = resources["gpus"]
    work = _work(manifest, by_key, store)
    return PastRun(
        stage=manifest.ingredients.stage,
        work=work if work and work.images > 0 else None,
        device="gpu" if gpus else "cpu",
        device_name=str(machine["gpus"][0] if gpus and machine["gpus"] else machine["processor"]),
        device_seconds=manifest.seconds * (gpus or resources["cpus"]),
        start=_start(manifest, curve) * (gpus or resources["cpus"]),
        size=sum(file.size for file in manifest.files),
    )


def _resumed(manifest: Manifest, curve: Sequence[Point]) -> bool:
    """Whether the curve spans more time than the last attempt took."""
    times = [point.time for point in curve]
    return bool(times) and max(times) - min(times) > manifest.seconds


def _start(manifest: Manifest, curve: Sequence[Point]) -> float:
    """Seconds of a training beyond those of its steps, by the pace of its curve; 0 where that is unknown."""
    if manifest.ingredients.stage != "stages.training.train.Train" or len(curve) < 2:
        return 0.0
    first, last = curve[0], curve[-1]
    pace = (last.time - first.time) / (last.step - first.step)
    return max(manifest.seconds - pace * last.step, 0.0)


def _work(manifest: Manifest, by_key: Mapping[str, Manifest], store: Store) -> Work | None:
    try:
        match manifest.ingredients.stage:
            case "stages.training.train.Train":
                return _training(manifest.settings["recipe"])
            case "stages.training.part.TrainPart":
                return _part(manifest, by_key)
            case "stages.detection.detect.Detect":
                return _detection(manifest, by_key, store)
            case "stages.shards.shard.Shard":
                return Work(images=sharded_images(store, manifest))
            case "stages.drawn.draw.Draw":
                return Work(images=sum(_whole(manifest.settings[split]) for split in ("train", "val", "test")))
    except (KeyError, TypeError, ValueError, AttributeError, ImportError):
        pass  # written by a version with other settings
    return None


def _training(recipe: Mapping[str, Any]) -> Work:
    return Work(
        images=_whole(recipe["schedule"]["iterations"]) * _whole(recipe["batch_size"]),
        spec=rebuilt(recipe["spec"]),
        passes=TRAINING,
        precision=recipe["precision"],
    )


def _part(manifest: Manifest, by_key: Mapping[str, Manifest]) -> Work:
    """Work of a part of a training: from the end of the part before it."""
    before = by_key[manifest.inputs["after"]["key"]].settings["until"] if "after" in manifest.inputs else 0
    steps = _whole(manifest.settings["until"]) - _whole(before)
    return replace(
        _training(manifest.settings["recipe"]), images=steps * _whole(manifest.settings["recipe"]["batch_size"])
    )


def _whole(value: Any) -> int:
    if not isinstance(value, int) or abs(value) >= 2**63:
        raise TypeError(f"{value!r:.40} is no count")
    return value


def _detection(manifest: Manifest, by_key: Mapping[str, Manifest], store: Store) -> Work | None:
    images = sharded_images(store, by_key[manifest.inputs["shards"]["key"]])
    training = _work(by_key[manifest.inputs["weights"]["key"]], by_key, store)
    return Work(images=images, spec=training.spec if training else None, passes=FORWARD) if images else None


def rebuilt(value: Any) -> Any:
    """Rebuild a value from a manifest's settings: dataclasses of ssd_core, own backbones, tuples, numbers and text.

    Raises KeyError, TypeError, ValueError, AttributeError or ImportError for anything this version does not have.
    """
    if isinstance(value, Mapping):
        kind = _settings_class(value["$class"])
        hints = get_type_hints(kind)
        parts = {field: rebuilt(item) for field, item in value.items() if field != "$class"}
        # 5.0 is written as 5: a field of type float must become a float again
        return kind(**{field: float(part) if hints[field] is float else part for field, part in parts.items()})
    return tuple(map(rebuilt, value)) if isinstance(value, list) else value


def _settings_class(full_name: str) -> Any:
    """The class of settings with this name; a manifest can name any callable, and nothing else is ever called."""
    from ssd_core.backbones.backbone import Backbone

    module, _, name = full_name.rpartition(".")
    ours = module.startswith("ssd_core.")
    if not ours and module not in sys.modules:
        raise ImportError(f"an estimate does not import {module}")
    kind = getattr(import_module(module) if ours else sys.modules[module], name)
    if not (isinstance(kind, type) and is_dataclass(kind) and (ours or issubclass(kind, Backbone))):
        raise TypeError(f"{full_name} is not a class of settings")
    return kind
