"""`ssdpipe verify`: a bundle's members, then its table and verdicts, computed again by the installed code.

Tested in tests/experiments/cli/bundles/test_verify.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.requests.request import GpusOption
from experiments.cli.shared.options import JsonOption

if TYPE_CHECKING:
    from experiments.cli.bundles.verification import Verification


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A bundle, as `ssdpipe bundle` writes it.")],
    retrain: Annotated[str, typer.Option(metavar="ROW", help="Also train this row again, its first seed.")] = "",
    data: Annotated[str, typer.Option(metavar="DIR|FILE", help="For --retrain: your copy of the data set.")] = "",
    own_file: Annotated[
        str, typer.Option(metavar="FILE", help="For --retrain: your copy of the experiment's file, if it is of one.")
    ] = "",
    gpus: GpusOption = None,
    store: Annotated[
        str, typer.Option(metavar="PLACE", help="For --retrain: a store that keeps it; none by default.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Compute a bundle's table and verdicts from its detections.

    Uses the installed code and an empty store, and executes nothing of the bundle; functions that differ from those
    that made it are named. Measured speeds are compared with their checksums only. The exit code is 2 for a bundle that
    was changed, and 1 for a number that comes out otherwise. A row trained again on a CPU like that of the bundle must
    have equal bits; elsewhere its accuracy must lie within a bound, which is printed.
    """
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    from experiments.cli.bundles.retrain import retrained
    from pipeline.errors import PipelineError

    unused = {"--data": data, "--own-file": own_file, "--gpus": gpus is not None, "--store": store}
    if not retrain and any(unused.values()):
        raise PipelineError(f"{next(name for name, given in unused.items() if given)} belongs to --retrain ROW")
    with TemporaryDirectory() as temporary:
        verification = _verified(file, Path(temporary))
        if retrain:
            verification.raise_for_differences()
            place = store or f"{temporary}/retrained"
            again = retrained(verification.bundle, retrain, own_file=own_file, data=data, gpus=gpus, place=place)
            verification = replace(verification, retrained=again)
    print(json.dumps(verification.to_json(), indent=1) if as_json else "\n".join(verification.lines()))
    verification.raise_for_differences()


def _verified(file: Path, temporary: Path) -> Verification:
    from experiments.cli.bundles.verdicts import verdicts
    from experiments.cli.bundles.verification import Verification, refuse_changed
    from experiments.framework.bundles.checking import changed_members, computed_again, refuse_inconsistent
    from experiments.framework.bundles.index import CLAIMS, INDEX, read_index
    from experiments.framework.bundles.statements import restated
    from experiments.framework.loading import paper_claims
    from pipeline.folder import Folder
    from stages.bundles.tar_file import unpacked

    sha256 = unpacked(file, temporary / "bundle", index=INDEX)
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
