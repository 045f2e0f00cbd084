"""The first draft of an experiment of one's own: two rows that run as they are, to be changed.

Tested in tests/experiments/cli/test_new.py.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import PipelineError

DRAFT = '''\
"""Do oblong default boxes help? Change the question, the rows, and what each row changes.

Run:    ssdpipe run ./{module}.py --preset tiny
"""

from dataclasses import replace

from ssdpipe import RUNS, Experiment, Row, without_ratios

BASE = RUNS["ssd300-voc0712"]  # see `ssdpipe recipe list`; --preset says at which scale it is trained


def squares_only(recipe):
    """`ssdpipe recipe show ssd-tiny` lists all that can be changed."""
    return replace(recipe, spec=without_ratios(recipe.spec, 2, 3))


experiment = Experiment(
    name="{name}",
    question="Do oblong default boxes help?",
    answers="no table of the paper",
    expects="a little, more for oblong objects",
    row_title="shapes",
    rows=(  # the first is what the others are compared with; `published` is for numbers of the paper
        Row(label="squares and oblongs", run=BASE, published=None),
        Row(label="squares only", run=BASE.varied("squares-only", squares_only), published=None),
    ),
)
'''


def write_draft(name: str, folder: Path = Path()) -> Path:
    """Write `folder/<name>.py`. PipelineError when the name cannot be that of a module, or the file is there."""
    module = name.removesuffix(".py").replace("-", "_")
    if not module.isidentifier():
        raise PipelineError(f"{name!r} cannot be the name of a file of Python; use letters, digits, - and _")
    path = folder / f"{module}.py"
    try:
        with path.open("x") as file:
            file.write(DRAFT.format(module=module, name=module.replace("_", "-")))
    except FileExistsError:
        raise PipelineError(f"{path} is there already: name another, or remove it") from None
    return path
