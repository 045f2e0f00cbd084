"""The door for users' files: its names and their signatures are promised, and opening it is cheap.

`tests/golden/promised.txt` is the promise. A line that is removed or changed breaks users' files: say so in
CHANGELOG.md. After an intended change, `python tests/ssdpipe/test_ssdpipe.py` rewrites the file.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ssdpipe

PROMISED = Path(__file__).parents[1] / "golden/promised.txt"
USED_BY_METHODS = (
    *("Experiment", "Preset", "Run", "Setup", "Schedule", "Weights"),
    *("Stage", "Context", "Folder", "ShardSet", "Backbone"),
)
"""The others are built and handed on."""


def promises() -> Iterator[str]:
    """One line for each name, and for each method and property of a class that is used by them."""
    for name in dir(ssdpipe):
        value = getattr(ssdpipe, name)
        if not callable(value) or (isinstance(value, type) and issubclass(value, Exception)):
            yield f"{name}: {type(value).__name__}"
            continue
        yield f"{name}{_signature(value)}"
        for member, defined in sorted(vars(value).items()) if name in USED_BY_METHODS else ():
            if isinstance(defined, property):
                yield f"{name}.{member}"
            elif inspect.isfunction(defined) and not member.startswith("_") and member not in _fields(value):
                yield f"{name}.{member}{_signature(defined)}"


def _fields(value: Any) -> set[str]:
    return set(getattr(value, "__dataclass_fields__", ()))


def _signature(value: Any) -> str:
    """`(self, run, seed=...)`: names, order and what may be left out; types and defaults are not promised."""
    bare = [
        parameter.replace(
            annotation=inspect.Parameter.empty,
            default=parameter.default if parameter.default is inspect.Parameter.empty else ...,
        )
        for parameter in inspect.signature(value).parameters.values()
    ]
    return str(inspect.Signature(bare)).replace("Ellipsis", "...")


def test_every_promised_name_is_there_with_its_signature() -> None:
    assert list(promises()) == PROMISED.read_text().splitlines()


@pytest.mark.parametrize("name", ["RUNS", "Experiment", "Stage", "Recipe"])
def test_opening_the_door_and_taking_what_a_plan_needs_loads_neither_torch_nor_ray(name: str) -> None:
    script = f"import sys, ssdpipe; ssdpipe.{name}; print({{'torch', 'ray', 'mlflow'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_name_that_is_not_promised_is_refused() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Scale' from 'ssdpipe'"):
        from ssdpipe import Scale  # noqa: F401


if __name__ == "__main__":
    PROMISED.write_text("".join(f"{line}\n" for line in promises()))
