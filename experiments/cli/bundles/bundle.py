"""`ssdpipe bundle`: everything that an experiment's numbers rest on, in one archive.

Tested in tests/experiments/cli/bundles/test_bundle.py.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.options import JsonOption, StorePlace

if TYPE_CHECKING:
    from experiments.framework.bundles.index import Index, Looks
    from experiments.framework.bundles.packing import Request
    from experiments.framework.comparison import StoredExperiment


def bundle(
    request: ExperimentRequest,
    place: StorePlace,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The archive to write, such as layers.tar.", dir_okay=False)
    ],
    weights: Annotated[bool, typer.Option("--weights", help="Also the weights of each training.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write what a table rests on into one archive.

    It holds settings, digests of code and data, the locked environment, annotations without images, detections, the
    table and the verdicts on claims. `ssdpipe verify FILE` computes table and verdicts again from it, on any machine.
    With only a name, the options of its last run apply. Equal results give equal bytes.
    """
    from tempfile import TemporaryDirectory

    from experiments.cli.requests.recorded import resolve_request
    from experiments.framework.bundles.packing import gather, seal
    from experiments.framework.comparison import StoredExperiment
    from pipeline.errors import PipelineError
    from pipeline.folder import Folder
    from pipeline.store.store import Store
    from stages.bundles.tar_file import pack
    from stages.placement import Placement

    store = Store.open(place.store)
    resolved = resolve_request(request, store)
    members = resolved.members() if isinstance(resolved, ExperimentRequest) else ()
    if len(members) != 1:
        raise PipelineError("a bundle holds one experiment: name it, see `ssdpipe list`")
    stored = StoredExperiment.of(members[0].targets(Placement()), store)
    packed, unbundled = _bundled(members[0], stored)
    with TemporaryDirectory() as temporary:
        folder = Folder(temporary)
        index = gather(packed, stored, folder, weights=weights)
        _write_verdicts(packed, index, stored, folder)
        index = seal(index, folder)
        digest = pack(Path(temporary), out)
    facts = {"file": str(out), "bytes": out.stat().st_size, "sha256": digest, **_counts(index), "unbundled": unbundled}
    print(json.dumps(facts, indent=1) if as_json else "\n".join(_lines(facts)))


def _bundled(member: ExperimentRequest, stored: StoredExperiment) -> tuple[Request, list[str]]:
    """What the bundle is of, and the claims that it cannot hold, since a function of the user's file judges them."""
    from experiments.cli.claims.command import images_of, options_of
    from experiments.framework.bundles.packing import Request
    from experiments.framework.bundles.statements import restated, stated
    from experiments.framework.claims.measuring import is_within
    from experiments.framework.loading import claims_of, paper_claims

    named = _without_places(member)
    within = [claim for claim in claims_of(member.load()) if is_within(stored.table, claim)]
    claims, foreign = restated(map(stated, within), paper_claims(named.experiment))
    request = Request(
        experiment=named.experiment,
        options={name: value for name, value in asdict(named).items() if value is not None},
        claims=claims,
        images=images_of(named),
        typed=options_of(named),
        own_data=bool(member.data),
        looks=_looks(member),
    )
    return request, foreign


def _looks(member: ExperimentRequest) -> Looks | None:
    from experiments.cli.claims.cases import first_look
    from experiments.framework.bundles.index import Looks

    if member.until_decided is None:
        return None
    return Looks(first=first_look(member), most_seeds=member.until_decided.max_seeds)


def _without_places(member: ExperimentRequest) -> ExperimentRequest:
    """The options that change results; a data set and a user's file by their names alone."""
    from experiments.cli.requests.recorded import settings_of
    from pipeline.folder import Folder

    data = Folder.at(member.data).name if member.data else ""
    return replace(settings_of(member), experiment=Path(member.experiment).name, data=data)


def _write_verdicts(packed: Request, index: Index, stored: StoredExperiment, folder: Any) -> None:
    from experiments.cli.bundles.verdicts import verdicts
    from experiments.framework.bundles.index import CLAIMS

    folder.write_json(CLAIMS, verdicts(packed.experiment, packed.claims, index.claims, stored))


def _counts(index: Index) -> dict[str, Any]:
    cells = [cell for cell in index.table.cells if cell.results]
    held = {entry.address for entry in index.results.values()}
    return {
        "experiment": index.experiment,
        "preset": index.table.preset,
        "results": len(index.results),
        "claims": len(index.claims.stated),
        "cells": len(cells),
        "cells_with_results": sum(any(address in held for address in cell.results) for cell in cells),
    }


def _lines(facts: dict[str, Any]) -> list[str]:
    from experiments.cli.shared.printing import size, wrapped

    claims = f"{facts['claims']} claim{'' if facts['claims'] == 1 else 's'}"
    head = (
        f"{facts['file']}: {facts['experiment']} at preset {facts['preset']}, {facts['cells_with_results']} of "
        f"{facts['cells']} numbers, {claims}, {facts['results']} results, {size(facts['bytes'])}"
    )
    left_out = [f"not bundled, since a function of your file judges it: {each}" for each in facts["unbundled"]]
    lines = [head, *left_out, f"sha256 {facts['sha256']}", f"`ssdpipe verify {facts['file']}` computes it again"]
    return [wrapped(line, "") for line in lines]
