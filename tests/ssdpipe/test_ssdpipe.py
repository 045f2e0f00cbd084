"""The public API for users' files: its names and signatures are stable, and importing it is cheap.

`tests/golden/promised.txt` lists it. A removed or changed line breaks users' files and belongs in CHANGELOG.md. After
an intended change, `python tests/ssdpipe/test_ssdpipe.py` rewrites the file.
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
"""Classes whose methods are promised; users only construct the others and pass them on."""


def promises() -> Iterator[str]:
    """One line for each name, and for each public method and property of the classes in USED_BY_METHODS."""
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
    """`(self, run, seed=...)`: names, order and which are optional; types and defaults are not promised."""
    bare = [
        parameter.replace(
            annotation=inspect.Parameter.empty,
            default=parameter.default if parameter.default is inspect.Parameter.empty else ...,
        )
        for parameter in inspect.signature(value).parameters.values()
    ]
    return str(inspect.Signature(bare)).replace("Ellipsis", "...")


def test_every_promised_name_exists_with_its_signature() -> None:
    assert list(promises()) == PROMISED.read_text().splitlines()


@pytest.mark.parametrize("name", ["RUNS", "Experiment", "Stage", "Recipe"])
def test_importing_ssdpipe_and_the_names_for_a_plan_loads_neither_torch_nor_ray(name: str) -> None:
    script = f"import sys, ssdpipe; ssdpipe.{name}; print({{'torch', 'ray', 'mlflow'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_name_outside_the_public_api_is_refused() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Scale' from 'ssdpipe'"):
        from ssdpipe import Scale  # noqa: F401


if __name__ == "__main__":
    PROMISED.write_text("".join(f"{line}\n" for line in promises()))
