"""Bundled results: which files of a result are kept, and what it was computed from, without host, user and times.

Tested in tests/experiments/cli/bundles/test_verify.py.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.keys.fingerprint import class_name, digest
from pipeline.store.manifest import Manifest, parse_manifest
from pipeline.store.reading import Unreadable
from stages.analysis.analyze import Analyze
from stages.bundles.annotations import write_annotations
from stages.bundles.archived import RESULT
from stages.detection.detect import Detect
from stages.detection.table import DETECTIONS
from stages.evaluation.evaluate import Evaluate
from stages.evaluation.evaluate_coco import EvaluateCoco
from stages.evaluation.outcomes import OUTCOMES
from stages.shards.shard import Shard
from stages.training.train import Train

RECOMPUTED: dict[str, type[Evaluate | EvaluateCoco | Analyze]] = {
    class_name(kind): kind for kind in (Evaluate, EvaluateCoco, Analyze)
}
"""Stages that are computed again from archived detections and annotations."""

CODE = "code"
"""Folder with the digests of functions, each set of them once, since many results share one."""

_ATTEMPT = "bundled"


def write_result(manifest: Manifest, source: Folder, target: Folder, *, numbers: bool, weights: bool) -> None:
    """Write the files of a result that a bundle keeps; `numbers` if a number of the table or of a claim needs it."""
    if numbers and manifest.ingredients.stage == class_name(Shard):
        write_annotations(source, target)
        return
    kept = [file.path for file in manifest.files if _is_kept(manifest, file.path, numbers=numbers, weights=weights)]
    for name in kept:
        with source.open_input(name) as stream, target.open_output(name) as sink:
            shutil.copyfileobj(stream, sink)


def _is_kept(manifest: Manifest, name: str, *, numbers: bool, weights: bool) -> bool:
    stage = manifest.ingredients.stage
    if stage == class_name(Train):
        return weights and name.endswith(".pt")
    if stage == class_name(Detect):
        return numbers and name == DETECTIONS
    return numbers and (name == OUTCOMES or name.endswith(".json"))


def write_manifest(manifest: Manifest, folder: Folder, bundle: Folder) -> None:
    """Write what a result was computed from; equal results of two hosts differ in their environment at most."""
    reduced = replace(manifest, attempt=_ATTEMPT, seconds=0.0, finished=0.0, provenance=_conditions(manifest))
    value = asdict(reduced)
    code = value["ingredients"]["code"]
    value["ingredients"]["code"] = named = digest(code)
    if not bundle.exists(f"{CODE}/{named}.json"):
        bundle.write_json(f"{CODE}/{named}.json", code)
    folder.write_json(RESULT, value)


def _conditions(manifest: Manifest) -> dict[str, Any]:
    """The environment that a result was computed in, as far as it may change its bits."""
    held = manifest.provenance
    kept: dict[str, Any] = {name: held[name] for name in ("libraries", "resources") if name in held}
    if machine := held.get("machine"):
        kept["machine"] = {**machine, "host": ""}
    if git := held.get("git"):
        kept["git"] = {name: value for name, value in git.items() if name != "difference"}
    return kept


def read_manifest(folder: Folder, bundle: Folder) -> Manifest:
    """Raises PipelineError when it has another form, or its key is not that of what it says it was computed from."""
    try:
        value = json.loads(folder.read_bytes(RESULT))
        named = value["ingredients"]["code"]
        value["ingredients"]["code"] = code = json.loads(bundle.read_bytes(f"{CODE}/{named}.json"))
        manifest = parse_manifest(json.dumps(value).encode())
    except (Unreadable, ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise PipelineError(f"{folder.name}/{RESULT} of the bundle cannot be read: {error}") from error
    if digest(code) != named or manifest.ingredients.key != manifest.key:
        raise PipelineError(
            f"{manifest.address}: the bundle gives it the key {manifest.key}, but its settings, code and inputs have "
            f"{manifest.ingredients.key}"
        )
    return manifest


def ancestors(keys: set[str], manifests: Mapping[str, Manifest]) -> set[str]:
    """These results and all that they were computed from, as far as the manifests have them."""
    reached, waiting = set[str](), list(keys)
    while waiting:
        key = waiting.pop()
        if key in manifests and key not in reached:
            reached.add(key)
            waiting += [held["key"] for held in manifests[key].inputs.values()]
    return reached
