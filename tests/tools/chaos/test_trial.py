"""Kills of the real command, as in `make chaos`; nearly all of their seconds are Ray's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.driver.in_process import run_in_process
from tools.chaos.checks import breaches, digests
from tools.chaos.command import Command, draw_images
from tools.chaos.progress import Progress
from tools.chaos.schedule import Kill, Round
from tools.chaos.trial import Trial, keys_by_kind


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The same graph, run in this process."""
    place = tmp_path_factory.mktemp("chaos")
    command = Command.on(draw_images(place, train=60, test=4), place / "undisturbed", iterations=30)
    request = command.request()
    for target in request.targets(replace(request.placement(), workers=0)):
        run_in_process(target, str(command.store))
    return command


def survives(undisturbed: Command, store: Path, *deaths: tuple[str, str], in_process: bool = False) -> None:
    """Carry out these kinds of death at these moments; the store is then as if there had been none."""
    expected = digests(undisturbed.store)
    command = Command.on(undisturbed.data, store, iterations=undisturbed.iterations, in_process=in_process)
    trial = Trial(command, Progress(command.store, keys_by_kind(expected)), expected)
    kills = tuple(Kill(kind=kind, moment=moment, delay=0.05, checkpoints=1) for kind, moment in deaths)
    assert [death.victims for death in trial.run(Round(number=0, kills=kills))] == [1] * len(deaths)
    assert trial.found == []


def test_a_command_survives_two_deaths_of_the_processes_of_stages(undisturbed: Command, tmp_path: Path) -> None:
    deaths = ("stage process", "sharding"), ("stage process", "training")
    survives(undisturbed, tmp_path / "store", *deaths, in_process=True)


@pytest.mark.slow
def test_a_command_survives_the_death_of_processes_and_its_results_are_those_of_an_undisturbed_run(
    undisturbed: Command, tmp_path: Path
) -> None:
    survives(undisturbed, tmp_path / "store", ("stage process", "sharding"), ("training worker", "training"))


@pytest.mark.slow
def test_a_command_survives_the_death_of_its_driver_by_being_typed_again(undisturbed: Command, tmp_path: Path) -> None:
    survives(undisturbed, tmp_path / "store", ("driver SIGKILL", "sharding"))


@pytest.mark.slow
@pytest.mark.usefixtures("ray_session")
def test_beside_another_ray_session_a_dead_training_gives_its_cpus_back(undisturbed: Command, tmp_path: Path) -> None:
    survives(undisturbed, tmp_path / "store", ("stage process", "training"))


def test_every_difference_from_an_undisturbed_run_is_a_breach(undisturbed: Command) -> None:
    expected = digests(undisturbed.store)
    assert list(breaches(undisturbed, expected)) == []
    key, (address, _) = next(iter(expected.items()))
    assert list(breaches(undisturbed, expected | {key: (address, "other")})) == [f"{address} differs"]
    assert list(breaches(undisturbed, expected | {"more": ("train/more", "")})) == ["train/more is missing"]
    part = undisturbed.store / "keys/x.json.part"
    part.write_bytes(b"")
    assert list(breaches(undisturbed, expected)) == [f"half-written file {part}"]
    part.unlink()
