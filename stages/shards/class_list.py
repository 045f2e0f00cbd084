"""Which classes a set of shards has, and in which order.

Tested in tests/stages/shards/test_shard.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.suggestion import suggestion


@dataclass(frozen=True, kw_only=True)
class ClassList:
    """What was asked for."""

    address: str
    """Of the stage, for its errors."""

    classes: tuple[str, ...]
    """All class names found, sorted, when empty."""

    ignored: tuple[str, ...]

    def of(self, objects_per_class: Mapping[str, int]) -> tuple[str, ...]:
        """The class list of data with these objects. PipelineError when they have classes that are not in it."""
        found = tuple(sorted(set(objects_per_class) - set(self.ignored)))
        classes = self.classes or found
        if unknown := [name for name in found if name not in classes]:
            counted = ", ".join(f"{name!r} ({objects_per_class[name]} objects)" for name in unknown)
            raise PipelineError(
                f"{self.address}: unknown class {counted}; {suggestion(unknown[0], classes)}. "
                "Correct the annotations, or name the class in ignore_classes"
            )
        return classes
