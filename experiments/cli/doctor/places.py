"""The store and its disk, and the published data sets.

Tested in tests/experiments/cli/test_doctor.py.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.cli.doctor.finding import Finding, refusal
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.folder import Folder

ROOMY_BYTES = 20e9
"""The paper's twelve trainings of Table 3 take about half of it, with checkpoints."""


def store(folder: Folder) -> Finding:
    """Whether the store can be written, and the room on its disk. A store that does not exist is not created."""
    from pipeline.driver.preflight import check_store

    facts: dict[str, Any] = {"store": folder.shown}
    checked = (lambda: check_store(folder)) if folder.exists() else (lambda: _check_parent(folder))
    if folder.is_local:
        facts["free"] = shutil.disk_usage(_existing(Path(folder.path))).free
    if found := refusal("store", checked, facts):
        return found
    is_new = "" if folder.exists() else ", which the first run creates"
    text = f"{folder.shown}{is_new}"
    if not folder.is_local:
        return Finding(name="store", text=text, facts=facts)
    text += f"; {facts['free'] / 1e9:.1f} GB free"
    if facts["free"] < ROOMY_BYTES:
        remedy = "Enough for small runs; SSDPIPE_STORE names a place on a larger disk, `ssdpipe gc` frees some"
        return Finding(name="store", state="note", text=text, remedy=remedy, facts=facts)
    return Finding(name="store", text=text, facts=facts)


def data() -> Finding:
    """Which of the published data sets the data folder holds."""
    from stages.datasets.published import PUBLISHED

    place = Path(os.environ.get("SSDPIPE_DATA", "data")).expanduser()
    there = [name for name, each in PUBLISHED.items() if (place / each.place).is_dir()]
    absent = [name for name in PUBLISHED if name not in there]
    facts = {"folder": str(place), "there": there, "absent": absent}
    if not absent:
        return Finding(name="data", text=f"{place} holds {', '.join(there)}", facts=facts)
    text = f"{place} holds {', '.join(there) or 'no published data set'}"
    remedy = (
        f"`ssdpipe data download {absent[0]}` fetches it, `ssdpipe data link {absent[0]} DIR` uses a copy. "
        "Your own images (--data DIR) and --preset tiny need none"
    )
    return Finding(name="data", state="note", text=text, remedy=remedy, facts=facts)


def _check_parent(folder: Folder) -> None:
    """Raise PipelineError when a local store could not be created; a remote one needs no folder."""
    from pipeline.driver.preflight import check_free, check_store

    if not folder.is_local:
        check_store(folder)
    elif not os.access(parent := _existing(Path(folder.path)), os.W_OK):
        raise PipelineError(
            f"the store {folder.shown} cannot be created: {parent} is not writable\n"
            "Set SSDPIPE_STORE to a writable location."
        )
    else:
        check_free(parent)


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())
