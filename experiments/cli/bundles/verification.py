"""What verifying a bundle found, as text and as JSON, and the error that ends the command.

Tested in tests/experiments/cli/bundles/test_verify.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.cli.shared.printing import wrapped
from experiments.framework.bundles.checking import Recomputed, is_output, rests_on
from experiments.framework.bundles.conditions import changed_functions, changed_libraries, foreign_modules
from experiments.framework.bundles.index import INDEX, Index
from experiments.framework.bundles.rebuilding import Bundle
from experiments.framework.bundles.retraining import Retrained
from pipeline.errors import PipelineError, StageFailed
from pipeline.folder import Folder

SHOWN = 5
"""Most differences in one message."""


def refuse_changed(file: str, folder: Folder, index: Index, changed: Sequence[str]) -> Bundle:
    """The bundle, if nothing that numbers are computed from was changed. Raises PipelineError with what rests on it."""
    try:
        bundle = Bundle.read(folder, index)
    except PipelineError as error:
        if not changed:
            raise
        raise PipelineError(_changed(file, changed)) from error
    absent = [name for name in changed if name not in index.members or not folder.is_file(name)]
    inputs = [name for name in changed if name in absent or not is_output(bundle, name)]
    if not inputs:
        return bundle
    rows = list(dict.fromkeys(row for name in inputs for row in rests_on(bundle, name)))
    consequence = f" The numbers of these rows rest on it: {_some(rows)}." if rows else " No number rests on it."
    raise PipelineError(_changed(file, inputs) + consequence)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """A bundle that could be computed again."""

    file: str
    sha256: str
    bundle: Bundle
    again: Recomputed
    changed: Sequence[str]
    """Members that differ from their checksums, which hold results alone."""

    verdicts: dict[str, Any]
    retrained: Retrained | None = None

    @property
    def functions(self) -> list[str]:
        return changed_functions(self.bundle.manifests.values())

    @property
    def libraries(self) -> list[str]:
        return changed_libraries(self.bundle.manifests.values())

    @property
    def own_modules(self) -> list[str]:
        return foreign_modules(self.bundle.manifests.values())

    def lines(self) -> list[str]:
        """One line for each thing that was looked at."""
        index, compared, again = self.bundle.index, self.again.compared, self.again
        verdicts = Counter(each["verdict"] for each in self.verdicts["claims"])
        judged = "1 verdict" if verdicts.total() == 1 else f"{verdicts.total()} verdicts"
        whole = len(index.members) - len(self.changed)
        rows = {
            "bundle": f"{self.file}, sha256 {self.sha256}",
            "of": f"{index.table.title} Preset {index.table.preset}, ssdpipe {index.ssdpipe}",
            "members": f"{whole} of {len(index.members)} have their checksums",
            "code": _functions(self.functions),
            "libraries": _some(self.libraries),
            "computed": f"{again.evaluations} evaluations, the table and {judged}",
            "numbers": f"{compared.equal:,} equal bit for bit, {len(compared.differences)} different",
            "verdicts": ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()),
            "by checksum": f"{_some(again.by_digest)}: measured, not computed again" if again.by_digest else "",
            "not here": f"{_some(self.own_modules)}: not installed, and not executed" if self.own_modules else "",
        }
        if self.retrained:
            rows["retrained"] = self.retrained.text()
        return [wrapped(text, f"{head:12} ") for head, text in rows.items() if text]

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "sha256": self.sha256,
            "experiment": self.bundle.index.experiment,
            "preset": self.bundle.index.table.preset,
            "verified": self.is_verified,
            "changed_members": list(self.changed),
            "equal": self.again.compared.equal,
            "differences": self.again.compared.differences,
            "changed_functions": self.functions,
            "changed_libraries": self.libraries,
            "by_checksum": list(self.again.by_digest),
            "not_installed": self.own_modules,
            "verdicts": self.verdicts,
            "retrained": self.retrained.to_json() if self.retrained else None,
        }

    @property
    def is_verified(self) -> bool:
        return not (self.changed or self.again.compared.differences) and (not self.retrained or self.retrained.is_alike)

    def raise_for_differences(self) -> None:
        """Raise PipelineError for a changed member, StageFailed for a number that comes out otherwise."""
        found = self.again.compared.differences
        if self.changed:
            consequence = f" {_some(found)}." if found else " All numbers in it are nevertheless those computed again."
            raise PipelineError(_changed(self.file, self.changed) + consequence)
        if found:
            code = " The installed code is not that of the bundle, see above." if self.functions else ""
            raise StageFailed(f"{self.file}: {_differ(len(found))}: {_some(found)}.{code}")
        if self.retrained and not self.retrained.is_alike:
            raise StageFailed(f"{self.file}: trained again, {self.retrained.text()}")


def _changed(file: str, names: Sequence[str]) -> str:
    verb = "differs from its checksum" if len(names) == 1 else "differ from their checksums"
    return f"{file} was changed: {_some(names)} {verb} in {INDEX}."


def _functions(changed: Sequence[str]) -> str:
    if not changed:
        return "the functions that made it are the installed ones"
    differ = "1 function differs" if len(changed) == 1 else f"{len(changed)} functions differ"
    return f"{differ} from the installed ones: {_some(changed)}"


def _differ(numbers: int) -> str:
    return "1 number comes out otherwise" if numbers == 1 else f"{numbers} numbers come out otherwise"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(names[:SHOWN]) + more
