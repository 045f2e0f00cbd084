"""A result that comes from a bundle instead of being computed.

Tested in tests/experiments/cli/bundles/test_verify.py.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from pipeline.folder import Folder
from pipeline.stage import Context, Stage, execution

RESULT = "result.json"
"""What a bundled result was computed from, beside its files."""


@dataclass(frozen=True, kw_only=True)
class Archived(Stage):
    """The files of one bundled result. Without a folder it stands for a result that the bundle lacks."""

    named: str
    """Address of the stage that computed it."""

    digest: str = ""
    """Digest of its output in that stage's manifest."""

    shards: Stage | None = None
    """The images that it is about, by which a table decides what compares."""

    allow_trained_images: bool = False
    folder: str = execution("")

    @property
    def address(self) -> str:
        return self.named

    def run(self, ctx: Context) -> None:
        archived = Folder(self.folder)
        for name in archived.files():
            if name != RESULT:
                with archived.open_input(name) as source, ctx.out.open_output(name) as sink:
                    shutil.copyfileobj(source, sink)
