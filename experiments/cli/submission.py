"""`ssdpipe submission`: the archive to upload to a benchmark's server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments.cli.requests import SubmissionRequest
from experiments.cli.shared.options import RunOptions
from pipeline.errors import PipelineError


def submission(
    request: SubmissionRequest,
    running: RunOptions,
    out: Annotated[Path, typer.Option(metavar="ARCHIVE", help="Archive to write: .tar.gz for VOC2012, .zip for COCO.")],
    detections: Annotated[
        str,
        typer.Option(
            metavar="DIR|FILE",
            help="Pack existing detections: a folder of files <name>_<class>.txt, a detections.parquet, or a COCO "
            "results JSON.",
        ),
    ] = "",
) -> None:
    """Write a results archive for VOC2012 test or COCO test-dev.

    From weights or from existing detections. Boxes are clipped to the images, and the layout of the archive is checked.
    Image lists other than the official one are refused without --proxy.
    """
    if bool(detections) == bool(request.weights):
        raise PipelineError("give either --weights FILE or --detections DIR|FILE to submit")
    suffix = ".tar.gz" if request.benchmark == "voc2012" else ".zip"
    if not out.name.endswith(suffix):
        raise PipelineError(f"the archive of {request.benchmark} must be a {suffix} file, but --out is {out}")
    content = _packed(request, detections) if detections else _computed(request, running)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    print(f"{out}: {len(content):,} bytes, layout checked")


def _packed(request: SubmissionRequest, detections: str) -> bytes:
    from experiments.framework.submitting import archive_of_files

    return archive_of_files(
        Path(detections), request.benchmark, root=request.data, split=request.split, proxy=request.proxy
    )


def _computed(request: SubmissionRequest, running: RunOptions) -> bytes:
    from experiments.cli.requests.running import run_request
    from stages.submission.benchmarks import ARCHIVES

    graph, store, result = run_request(request, running)
    manifest = result.outcomes[graph.targets[0]].manifest
    assert manifest is not None, "its graph ran successfully"
    return store.output(manifest).read_bytes(ARCHIVES[request.benchmark])
