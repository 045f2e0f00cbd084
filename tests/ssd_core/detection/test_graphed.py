"""CUDA graphs of the suppression; most of it needs a GPU."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.detection import graphed
from ssd_core.detection.decoding import detections
from ssd_core.detection.fused import packed_detections
from ssd_core.detection.graphed import FIRST, Arguments, GraphedDetections, graphed_detections, ungraphed_reason
from ssd_core.detection.limits import PAPER_LIMITS
from ssd_core.spec.paper import ssd300

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def predictions(seed: int, images: int = 2, device: str = "cuda") -> Arguments:
    generator = torch.Generator().manual_seed(seed)
    boxes_cxcywh = default_boxes(ssd300())
    locations = torch.randn(images, len(boxes_cxcywh), 4, generator=generator)
    logits = 1.5 * torch.randn(images, len(boxes_cxcywh), 21, generator=generator)
    logits[..., 0] += 7
    return Arguments(locations.to(device), logits.to(device), boxes_cxcywh.to(device), (0.1, 0.2), PAPER_LIMITS)


def test_on_a_cpu_there_is_no_graph():
    drawn = predictions(0, device="cpu")
    assert ungraphed_reason(drawn) == "predictions are not on a GPU"
    found, complete = graphed_detections(*drawn)
    expected, known = packed_detections(*drawn).read()
    assert complete == known
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


@needs_gpu
def test_a_shape_is_captured_when_it_comes_again_and_every_call_returns_its_own_detections(monkeypatch):
    graphs = graphed._DeviceGraphs(torch.device("cuda", 0))
    monkeypatch.setattr(graphed, "_graphs", lambda device: graphs)
    drawn = [predictions(seed) for seed in range(4)]
    found = [graphed_detections(*each)[0] for each in drawn]
    assert [type(each) for each in graphs._graphs.values()] == [GraphedDetections]
    graphed_detections(*drawn[0]._replace(locations=drawn[0].locations[:1], logits=drawn[0].logits[:1]))
    assert list(graphs._graphs.values())[1] == FIRST
    for own, each in zip(found, drawn, strict=True):
        expected, _ = packed_detections(*each).read()
        assert all(torch.equal(*pair) for pair in zip(own, expected, strict=True))


@needs_gpu
def test_threads_share_a_graph_without_mixing_their_detections():
    drawn = [predictions(seed) for seed in range(8)]
    expected = [packed_detections(*each).read()[0] for each in drawn]

    def found(number: int) -> bool:
        with torch.cuda.stream(torch.cuda.Stream()):
            own = [graphed_detections(*drawn[number])[0] for _ in range(20)]
            torch.cuda.current_stream().synchronize()
        return all(torch.equal(*pair) for each in own for pair in zip(each, expected[number], strict=True))

    torch.cuda.synchronize()
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(found, range(8)))


@needs_gpu
def test_detections_are_those_of_a_cpu():
    drawn = predictions(3)
    for _ in range(3):
        found = detections(*drawn[:4]).cpu()
    expected = detections(*predictions(3, device="cpu")[:4])
    assert torch.equal(found.labels, expected.labels)
    torch.testing.assert_close(found.boxes_xyxy, expected.boxes_xyxy)
