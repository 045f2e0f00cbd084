"""Two kills of the real command, as in `make chaos`; nearly all of their seconds are Ray's."""

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
    command = Command.on(draw_images(place, train=300, test=8), place / "undisturbed", iterations=60)
    request = command.request()
    run_in_process(request.target(replace(request.placement(), workers=0)), str(command.store))
    return command


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "moment"), [("driver SIGKILL", "sharding"), ("training worker", "training")], ids=lambda text: text
)
def test_a_command_survives_a_death_and_its_results_are_those_of_an_undisturbed_run(
    undisturbed: Command, tmp_path: Path, kind: str, moment: str
) -> None:
    expected = digests(undisturbed.store)
    command = Command.on(undisturbed.data, tmp_path / "store", iterations=undisturbed.iterations)
    trial = Trial(command, Progress(command.store, keys_by_kind(expected)), expected)
    kill = Kill(kind=kind, moment=moment, delay=0.05, checkpoints=2)
    (death,) = trial.run(Round(number=0, kills=(kill,)))
    assert death.victims == 1
    assert trial.found == []


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
