"""System metrics join the curve of a stage, and can be turned off."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pipeline.execution.machine_load import INTERVAL, SWITCH, MachineLoad, gpu_load
from pipeline.execution.run_stage import StageContext
from pipeline.folder import Folder
from pipeline.stage import Context, Stage
from pipeline.store.record import read_curve


class Records(Stage):
    def run(self, ctx: Context) -> None:
        for step in (1, 2):
            ctx.record(step, {"loss": 1.0})


def recorded(folder: Path) -> list[dict[str, float]]:
    place = Folder.at(str(folder))
    context = StageContext(key="k", stage=Records(), inputs={}, out=place, work=place)
    Records().run(context)
    context.flush()
    return [point.values for point in read_curve(place)]


def test_points_hold_the_load_of_the_machine_under_the_names_of_mlflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INTERVAL, "0")
    for values in recorded(tmp_path):
        assert values["loss"] == 1.0
        assert 0 <= values["system/cpu_utilization_percentage"] <= 100
        assert 0 < values["system/system_memory_usage_percentage"] <= 100
        assert values["system/system_memory_usage_megabytes"] > 10


def test_samples_are_at_least_an_interval_apart_and_can_be_turned_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = [{"loss": 1.0}, {"loss": 1.0}]
    assert recorded(tmp_path / "every ten seconds") == plain
    monkeypatch.setenv(INTERVAL, "0")
    monkeypatch.setenv(SWITCH, "false")
    assert recorded(tmp_path / "off") == plain


def test_a_sample_takes_less_than_a_millisecond_of_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTERVAL, "0")
    load = MachineLoad()
    began = time.thread_time()
    assert all(load.due() for _ in range(100))
    assert time.thread_time() - began < 0.1


def test_the_gpus_that_a_process_sees_are_read_from_nvidia_smi() -> None:
    lines = ["0, 35 %, 1000 MiB, 70.50 W", "1, 99 %, 2000 MiB, [N/A]"]
    found = dict(gpu_load(lines, visible="1"))
    assert found == {"system/gpu_1_utilization_percentage": 99.0, "system/gpu_1_memory_usage_megabytes": 2097.152}
    assert dict(gpu_load(lines, visible=None))["system/gpu_0_power_usage_watts"] == 70.5
    assert len(dict(gpu_load(lines, visible="GPU-8932f937"))) == 5
