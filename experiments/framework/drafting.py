"""A template for your own experiment: two rows that run unchanged and are meant to be edited.

Tested in tests/experiments/cli/test_new.py.
"""

from __future__ import annotations

from pathlib import Path

from experiments.framework.names import ALIASES, experiment_names
from pipeline.errors import PipelineError
from pipeline.planning.own_names import elsewhere

DRAFT = '''\
"""Do oblong default boxes help? Change the question, the rows, and what each row changes.

Run:    ssdpipe run ./{module}.py --preset tiny
"""

from dataclasses import replace

from ssdpipe import RUNS, Experiment, Row, without_ratios

BASE = RUNS["ssd300-voc0712"]  # see `ssdpipe recipe list`; --preset chooses the scale of its training


def squares_only(recipe):
    """`ssdpipe recipe show ssd-tiny` lists every setting that can be changed."""
    return replace(recipe, spec=without_ratios(recipe.spec, 2, 3))


experiment = Experiment(
    name="{name}",
    question="Do oblong default boxes help?",
    answers="no table of the paper",
    expects="a small gain, larger for oblong objects",
    row_title="shapes",
    rows=(  # the others are compared with the first; `published` is for the paper's numbers
        Row(label="squares and oblongs", run=BASE, published=None),
        Row(label="squares only", run=BASE.varied("squares-only", squares_only), published=None),
    ),
)
'''


def write_draft(name: str, folder: Path = Path()) -> Path:
    """Write `folder/<name>.py`. Raises PipelineError when the name is no module name or taken, or the file exists."""
    module = name.removesuffix(".py").replace("-", "_")
    if not module.isidentifier():
        raise PipelineError(f"{name!r} is not a module name: use letters, digits, - and _, beginning with a letter")
    name = module.replace("_", "-")
    if name in (*experiment_names(), *ALIASES):
        raise PipelineError(f"{name!r} already names experiments, see `ssdpipe list`: choose another name")
    if other := elsewhere(module, folder.resolve()):
        raise PipelineError(f"{module!r} is also the name of {other}, which Python would import: choose another name")
    path = folder / f"{module}.py"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(DRAFT.format(module=module, name=name))
    except FileExistsError:
        raise PipelineError(f"{path} already exists: choose another name, or remove the file") from None
    return path
