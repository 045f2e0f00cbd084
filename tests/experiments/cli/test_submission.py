"""`ssdpipe submission` from detections and from weights."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from experiments.cli.requests import SubmissionRequest
from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.store import Store
from ssd_core.network.model import Detector
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.spec.vocabularies import VOC_CLASSES
from ssd_core.weights.weights import Weights, save_weights
from stages.placement import Placement
from stages.submission.benchmarks import ARCHIVES

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project


@pytest.fixture
def found(tmp_path: Path) -> Path:
    folder = tmp_path / "found"
    folder.mkdir()
    for name in VOC_CLASSES:
        (folder / f"comp4_det_test_{name}.txt").write_text("b 0.9 10 20 60 200\n" if name == "cat" else "")
    return folder


def test_detections_are_packed_for_the_server(project: Project, found: Path, tmp_path: Path) -> None:
    out = tmp_path / "archives/mine.tar.gz"
    done = project.ssdpipe(
        "submission", "voc2012", "--detections", str(found), "--data", str(project.data), "--out", str(out), "--proxy"
    )
    assert done.exit_code == 0, done.exception
    assert done.stdout == f"{out}: {out.stat().st_size:,} bytes, layout checked\n"
    with tarfile.open(out) as tar:
        text = tar.extractfile("results/VOC2012/Main/comp4_det_test_cat.txt")
        assert text is not None
        assert text.read() == b"b 0.900000 10.00 20.00 60.00 80.00\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "either --weights FILE or --detections"),
        (("--weights", "a.pt", "--detections", "b"), "either --weights FILE or --detections"),
        (("--detections", "b", "--out", "a.zip"), r"the archive of voc2012 must be a \.tar\.gz"),
        (("--detections", "b", "--proxy"), "there is no file or folder b"),
    ],
)
def test_an_invalid_request_is_refused(
    project: Project, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    out = ("--out", str(tmp_path / "a.tar.gz"))
    done = project.ssdpipe("submission", "voc2012", "--data", str(project.data), *out, *arguments)
    with pytest.raises(PipelineError, match=message):
        raise done.exception or AssertionError(done.stdout)


def test_a_submission_detects_on_images_without_annotations(project: Project, tmp_path: Path) -> None:
    (project.data / "Annotations/b.xml").unlink()
    spec, weights = ssd_tiny(VOC_CLASSES), tmp_path / "weights.pt"
    with weights.open("wb") as stream:
        save_weights(Weights(spec=spec, state=Detector(spec, torch.Generator().manual_seed(0)).state_dict()), stream)
    request = SubmissionRequest(benchmark="voc2012", data=str(project.data), weights=str(weights), proxy=True)
    graph = Graph([request.target(Placement())])
    store = Store.open(str(project.store))
    result = Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="second").run()
    result.raise_for_failures()
    manifest = result.outcomes[graph.targets[0]].manifest
    assert manifest is not None
    with tarfile.open(fileobj=io.BytesIO(store.output(manifest).read_bytes(ARCHIVES["voc2012"]))) as tar:
        assert len(tar.getnames()) == 20
