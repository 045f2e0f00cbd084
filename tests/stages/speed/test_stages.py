"""Speed stages: what is measured, under which names, and on which machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.stage import Context, Stage
from pipeline.store.record import SUMMARY
from ssd_core.detection.speed_modes import PLAIN, SpeedMode
from ssd_core.spec.detector import DetectorSpec
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.placement import Placement
from stages.speed import hardware as machines
from stages.speed.graphs import timed, timed_side_by_side
from stages.speed.network import SPEED, Effort, Network
from stages.speed.stages import CompareSpeed, MeasureSpeed

QUICK = Effort(warmup=1, timed=2)


@dataclass(frozen=True, kw_only=True)
class Trained(Stage):
    spec: DetectorSpec

    def run(self, ctx: Context) -> None:
        with ctx.out.open_output("weights.pt") as stream:
            save_weights(Weights(spec=self.spec, state=initial_detector(self.spec, 0).state_dict()), stream)


@pytest.fixture
def measured(in_process, drawn):
    def run(stage: Stage, inputs: dict[Stage, Any] | None = None) -> tuple[dict[str, Any], dict[str, float]]:
        ctx = in_process(stage, "speed", {**drawn.folders, **(inputs or {})})
        stage.run(ctx)
        return ctx.out.read_json(SPEED), ctx.out.read_json(SUMMARY)

    return run


def test_all_protocols_are_measured_at_each_batch_size_in_each_mode_that_the_device_supports(
    measured, drawn, small_spec
):
    modes = (PLAIN, SpeedMode(precision="tf32"), SpeedMode(channels_last=True))
    stage = MeasureSpeed(
        network=Network(spec=small_spec, candidates=20), shards=drawn.test, batches=(1, 4), modes=modes, effort=QUICK
    )
    document, summary = measured(stage)
    for protocol in ("forward", "detection", "backbone", "end_to_end"):
        for batch in (1, 4):
            key = f"{protocol}/batch{batch}"
            assert summary[f"speed/{key}/images_per_second"] > 0
            assert (
                summary[f"speed/fp32-channels_last/{key}/p50_ms"] <= summary[f"speed/fp32-channels_last/{key}/p90_ms"]
            )
    assert summary["speed/backbone/batch4/share"] > 0
    assert "speed/suppression/batch1/ms_per_image" in summary
    assert [item["mode"] for item in document["not_measured"]] == ["tf32"]
    assert document["hardware"]["processor"]
    assert document["measured"][0]["candidates_per_image"] == pytest.approx(20, abs=15)  # raised on four images of 32


def test_trained_weights_are_measured_unchanged(measured, in_process, drawn, small_spec):
    weights = Trained(spec=small_spec)
    made = in_process(weights, "weights")
    weights.run(made)
    stage = MeasureSpeed(network=Network(weights=weights), shards=drawn.test, batches=(2,), effort=QUICK)
    document, _ = measured(stage, {weights: made.out})
    # 8 * 8 * 4 + 4 * 4 * 6 boxes; nearly all of their scores are above the threshold
    boxes = small_spec.box_count
    assert boxes == 352
    assert document["measured"][0]["candidates_per_image"] > 0.5 * boxes * len(small_spec.classes)


def test_detectors_are_compared_side_by_side(measured, drawn, small_spec):
    wide = replace(small_spec, backbone=replace(small_spec.backbone, channels=(64, 64, 64, 64, 64)))
    networks = tuple(
        Network(label=name, spec=spec, candidates=20) for name, spec in (("narrow", small_spec), ("wide", wide))
    )
    stage = CompareSpeed(networks=networks, shards=drawn.test, batches=(4,), effort=QUICK)
    document, summary = measured(stage)
    assert summary["speed/narrow/forward/batch4/of_first"] == 1
    assert summary["speed/wide/forward/batch4/of_first"] < 0.8
    assert {(item["network"], item["protocol"]) for item in document["measured"]} == {
        (name, protocol) for name in ("narrow", "wide") for protocol in ("forward", "detection")
    }


def test_the_key_changes_with_processor_gpu_and_torch_but_not_with_the_machine_s_name(monkeypatch, drawn, small_spec):
    stage = MeasureSpeed(network=Network(spec=small_spec), shards=drawn.test)
    on_gpu = replace(stage, use_gpu=True)
    here = {"processor": "one", "cpus": 2, "gpus": ["A100"], "host": "here"}

    def digests(**changed: Any) -> tuple[str, str]:
        monkeypatch.setattr(machines, "machine", lambda: here | changed)
        return stage.external_digest(), on_gpu.external_digest()

    cpu, gpu = digests()
    assert digests(host="there") == (cpu, gpu)
    assert cpu not in digests(processor="other")
    assert digests(gpus=["H100"])[0] == cpu
    assert digests(gpus=["H100"])[1] != gpu
    assert digests(gpus=["A100", "A100"])[1] == gpu
    monkeypatch.setattr(machines, "library_versions", lambda: {"torch": "2.11"})
    assert cpu not in digests()


def test_a_missing_gpu_is_refused(in_process, drawn, small_spec):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    stage = MeasureSpeed(network=Network(spec=small_spec), shards=drawn.test, use_gpu=True)
    with pytest.raises(PipelineError, match="torch sees no GPU"):
        stage.run(in_process(stage, "speed", drawn.folders))


def test_a_first_mode_that_the_device_does_not_support_is_refused(in_process, drawn, small_spec):
    stage = MeasureSpeed(
        network=Network(spec=small_spec), shards=drawn.test, modes=(SpeedMode(precision="tf32"),), effort=QUICK
    )
    with pytest.raises(PipelineError, match="mode tf32 cannot be measured here: TF32 requires an NVIDIA"):
        stage.run(in_process(stage, "speed", drawn.folders))


def test_a_network_is_either_a_specification_or_weights(small_spec):
    with pytest.raises(PipelineError, match="either"):
        Network()
    with pytest.raises(PipelineError, match="either"):
        Network(spec=small_spec, weights=Trained(spec=small_spec))


def test_measuring_speed_without_warm_up_is_refused():
    with pytest.raises(PipelineError, match="at least one warm-up batch"):
        Effort(warmup=0)


def test_a_gpu_gets_more_rounds_and_every_precision(drawn, small_spec):
    network = Network(label="small", spec=small_spec)
    on_cpu = timed(network, test=drawn.test, variant="small", placement=Placement(cpus_per_worker=2))
    assert (on_cpu.threads, on_cpu.use_gpu, on_cpu.resources.gpus) == (2, False, 0)
    on_gpu = timed(network, test=drawn.test, variant="small", placement=Placement(use_gpu=True, loader_processes=4))
    assert (on_gpu.effort.warmup, on_gpu.effort.timed) == (50, 500)  # as in published fair timings
    assert {mode.precision for mode in on_gpu.modes} == {"fp32", "tf32", "bf16"}
    assert (on_gpu.resources.cpus, on_gpu.resources.gpus) == (5, 1)
    assert on_gpu.modes[0] == on_cpu.modes[0] == PLAIN
    compared = timed_side_by_side((network,), test=drawn.test, variant="atrous", placement=Placement(use_gpu=True))
    assert compared.effort == on_gpu.effort
