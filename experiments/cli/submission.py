"""`ssdpipe submission`: the archive that the server of a benchmark takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments.cli.requests import SubmissionRequest
from experiments.cli.shared.options import Running
from pipeline.errors import PipelineError


def submission(
    request: SubmissionRequest,
    running: Running,
    out: Annotated[Path, typer.Option(metavar="ARCHIVE", help="Where the archive goes: .tar.gz or .zip.")],
    detections: Annotated[
        str,
        typer.Option(
            metavar="DIR|FILE",
            help="Pack detections that are there: a folder of <name>_<class>.txt, a detections.parquet, or JSON of "
            "results in COCO's form.",
        ),
    ] = "",
) -> None:
    """Write the result archive of VOC2012 test or COCO test-dev, from weights or from detections.

    The boxes are clipped to the images, and the layout is checked. Other lists of images than the official one are
    refused, unless with --proxy.
    """
    if bool(detections) == bool(request.weights):
        raise PipelineError("name what to submit: either --weights FILE or --detections DIR or FILE")
    suffix = ".tar.gz" if request.benchmark == "voc2012" else ".zip"
    if not out.name.endswith(suffix):
        raise PipelineError(f"the archive of {request.benchmark} is a {suffix}, but --out names {out}")
    content = _packed(request, detections) if detections else _computed(request, running)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    print(f"{out}: {len(content):,} bytes, layout checked")


def _packed(request: SubmissionRequest, detections: str) -> bytes:
    from experiments.framework.submitting import archive_of_files

    return archive_of_files(
        Path(detections), request.benchmark, root=request.data, split=request.split, proxy=request.proxy
    )


def _computed(request: SubmissionRequest, running: Running) -> bytes:
    from experiments.cli.requests.running import bring_to_end
    from stages.submission.benchmarks import ARCHIVES

    graph, store, result = bring_to_end(request, running)
    manifest = result.outcomes[graph.targets[0]].manifest
    assert manifest is not None, "the run of its graph ended well"
    return store.output(manifest).read_bytes(ARCHIVES[request.benchmark])
