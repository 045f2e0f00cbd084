"""The classes of a set of shards, and their order.

Tested in tests/stages/shards/test_shard.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.suggestion import suggestion


@dataclass(frozen=True, kw_only=True)
class ClassList:
    """The classes requested of a shard stage."""

    address: str
    """Address of the stage, for error messages."""

    classes: tuple[str, ...]
    """Class names in label order; empty: all names in the data, sorted."""

    ignored: tuple[str, ...]
    leave_out_others: bool = False
    """Accept other classes in the data: their objects are left out."""

    def of(self, objects_per_class: Mapping[str, int]) -> tuple[str, ...]:
        """Class list for data with these objects. Raises PipelineError when they have classes that are not in it."""
        found = tuple(sorted(set(objects_per_class) - set(self.ignored)))
        classes = self.classes or found
        if not self.leave_out_others and (unknown := [name for name in found if name not in classes]):
            counted = ", ".join(f"{name!r} ({objects_per_class[name]} objects)" for name in unknown)
            raise PipelineError(
                f"{self.address}: unknown class {counted}; {suggestion(unknown[0], classes)}. "
                "Correct the annotations, or list the class in --classes, or in ignore_classes of the stage"
            )
        return classes
