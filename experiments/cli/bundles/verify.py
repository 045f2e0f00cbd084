"""`ssdpipe verify`: a bundle's members, then its table and verdicts, computed again by the installed code.

Tested in tests/experiments/cli/bundles/test_verify.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.shared.options import JsonOption

if TYPE_CHECKING:
    from experiments.cli.bundles.verification import Verification


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A bundle, as `ssdpipe bundle` writes it.")],
    as_json: JsonOption = False,
) -> None:
    """Compute the table and the verdicts of a bundle again, from its detections.

    Uses the installed code and an empty store, and executes nothing of the bundle; functions that differ from those
    that made it are named. Measured speeds are compared with their checksums only. The exit code is 2 for a bundle that
    was changed, and 1 for a number that comes out otherwise.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as temporary:
        verification = _verified(file, Path(temporary))
    print(json.dumps(verification.to_json(), indent=1) if as_json else "\n".join(verification.lines()))
    verification.raise_for_differences()


def _verified(file: Path, temporary: Path) -> Verification:
    from experiments.cli.bundles.verdicts import verdicts
    from experiments.cli.bundles.verification import Verification, refuse_changed
    from experiments.framework.bundles.checking import changed_members, computed_again, refuse_inconsistent
    from experiments.framework.bundles.index import CLAIMS, read_index
    from experiments.framework.bundles.statements import restated
    from experiments.framework.loading import paper_claims
    from pipeline.folder import Folder
    from stages.bundles.tar_file import unpacked

    sha256 = unpacked(file, temporary / "bundle")
    folder = Folder(str(temporary / "bundle"))
    index = read_index(folder, str(file))
    changed = changed_members(folder, index)
    bundle = refuse_changed(str(file), folder, index, changed)
    refuse_inconsistent(bundle)
    claims, _ = restated(index.claims.stated, paper_claims(index.experiment))
    again = computed_again(bundle, str(temporary / "store"))
    page = verdicts(index.experiment, claims, index.claims, again.stored)
    again.compared.add_values("verdicts", folder.read_json(CLAIMS), page)
    return Verification(file=str(file), sha256=sha256, bundle=bundle, again=again, changed=changed, verdicts=page)
