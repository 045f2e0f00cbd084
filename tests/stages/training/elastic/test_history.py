from __future__ import annotations

from pathlib import Path

from pipeline.folder import Folder
from stages.training.elastic.history import History, Recorder, Replay, Steps


def recorded(place: Path, *numbers: int) -> History:
    """A history of parts that end at these steps."""
    history = History.at(Folder(str(place)))
    recorder = Recorder(history, workers=2)
    for last in numbers:
        count = last - recorder.first + 1
        recorder.steps([0.5] * count, list(range(count)))
        recorder.saving()
    return history


def test_steps_are_written_between_checkpoints_and_each_once(tmp_path: Path):
    parts = recorded(tmp_path, 4, 10).steps()
    assert [(part.first, part.last, part.workers) for part in parts] == [(1, 4, 2), (5, 10, 2)]
    assert parts[0].digests == (0, 1, 2, 3)


def test_going_back_to_a_checkpoint_forgets_what_came_after_it(tmp_path: Path):
    history = recorded(tmp_path, 4, 10, 12)
    for start in (4, 10):
        history.write(Replay(start=start, losses=(0.5,)))
    history.rewind(4)
    assert [part.last for part in history.steps()] == [4]
    assert [replay.start for replay in history.replays()] == [4]


def test_a_damaged_record_is_as_good_as_none(tmp_path: Path):
    history = recorded(tmp_path, 4, 10)
    (tmp_path / "history/steps-000000004.json").write_text('{"first": 5')
    (tmp_path / "history/steps-000000010.json").write_text('{"first": 0, "workers": 1, "losses": [], "digests": []}')
    assert [part.last for part in history.steps()] == [4]


def test_numbers_of_64_bits_are_kept(tmp_path: Path):
    history = History.at(Folder(str(tmp_path)))
    steps = Steps(first=1, workers=1, losses=(0.1 + 0.2, 1e-30), digests=(-(2**63), 2**63 - 1))
    history.write(steps)
    assert history.steps() == [steps]
