"""Which tool computes COCO's numbers: the fast one where it is installed, unless `SSDPIPE_COCO_TOOL` names another.

The choice is part of no key, since all digits are equal.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from pipeline.errors import PipelineError
from stages.evaluation.coco_fast import judge_by_hotcoco
from stages.evaluation.coco_judged import Judge
from stages.evaluation.coco_reference import judge_by_pycocotools

CHOICE = "SSDPIPE_COCO_TOOL"
FAST, REFERENCE = "hotcoco", "pycocotools"


def chosen() -> Judge:
    """Raises PipelineError for a tool that is unknown or not installed."""
    installed = find_spec("hotcoco") is not None
    name = os.environ.get(CHOICE) or (FAST if installed else REFERENCE)
    if name not in (FAST, REFERENCE):
        raise PipelineError(f"{CHOICE} is {name!r}: set it to {FAST} or {REFERENCE}, or leave it out.")
    if name == FAST and not installed:
        raise PipelineError(f"{CHOICE} is {FAST}, which is not installed: pip install 'ssdpipe[fast-coco]'.")
    return judge_by_hotcoco if name == FAST else judge_by_pycocotools
