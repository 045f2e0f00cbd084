"""Checkpoints are written atomically, and the newest intact one is found whatever a crash left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from ssd_core.training.checkpoint import CheckpointFolder


def state(seed: int) -> tuple[nn.Linear, torch.optim.Optimizer]:
    """A layer and its optimiser after one step with momentum."""
    torch.manual_seed(seed)
    layer = nn.Linear(20, 20)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    layer(torch.randn(4, 20)).square().sum().backward()
    optimiser.step()
    return layer, optimiser


def saved(folder: CheckpointFolder, *steps: int) -> None:
    for step in steps:
        folder.save(step, *state(step))


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.iterdir())


def test_a_restored_state_is_bitwise_the_saved_one_with_momentum_and_random_numbers(tmp_path: Path):
    folder = CheckpointFolder(path=str(tmp_path))
    layer, optimiser = state(1)
    folder.save(7, layer, optimiser)
    drawn = torch.rand(3)
    other, other_optimiser = state(2)
    folder.restore(folder.newest_step(), other, other_optimiser)
    assert torch.equal(torch.rand(3), drawn)
    for mine, theirs in zip(layer.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)
        buffers = (holder.state[p]["momentum_buffer"] for holder, p in ((optimiser, mine), (other_optimiser, theirs)))
        assert torch.equal(*buffers)


def test_an_optimiser_is_fused_where_it_resumes_not_where_it_was_saved(tmp_path: Path):
    folder = CheckpointFolder(path=str(tmp_path))
    layer, _ = state(1)
    folder.save(1, layer, torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9, fused=True))
    other, optimiser = state(2)
    folder.restore(1, other, optimiser)
    assert [group["fused"] for group in optimiser.param_groups] == [None]


def test_an_empty_or_missing_folder_has_no_checkpoint(tmp_path: Path):
    assert CheckpointFolder(path=str(tmp_path)).newest_step() == 0
    assert CheckpointFolder(path=str(tmp_path / "missing")).newest_step() == 0


def test_the_newest_two_are_kept_and_multiples_of_every(tmp_path: Path):
    saved(CheckpointFolder(path=str(tmp_path / "two")), 2, 4, 6, 8)
    assert names(tmp_path / "two") == ["step-000000006.pt", "step-000000008.pt"]
    folder = CheckpointFolder(path=str(tmp_path / "every"), every=3)
    saved(folder, 2, 3, 4, 6, 8, 9, 10)
    assert folder.steps() == [3, 6, 9, 10]


def test_a_partial_file_is_no_checkpoint_and_is_deleted_by_the_next_save(tmp_path: Path):
    folder = CheckpointFolder(path=str(tmp_path))
    saved(folder, 3)
    (tmp_path / "step-000000005.pt.part").write_bytes(b"half")
    assert folder.steps() == [3]
    assert folder.newest_step() == 3
    saved(folder, 4)
    assert names(tmp_path) == ["step-000000003.pt", "step-000000004.pt"]


@pytest.mark.parametrize("damage", ["truncated", "empty", "zeroed"])
def test_a_checkpoint_damaged_by_a_power_cut_is_skipped_for_the_one_before(tmp_path: Path, damage: str):
    folder = CheckpointFolder(path=str(tmp_path))
    saved(folder, 3, 5)
    torn = tmp_path / "step-000000005.pt"
    content = bytearray(torn.read_bytes())
    if damage == "zeroed":
        at = content.index(state(5)[0].weight.detach().numpy().tobytes()[:64])
        content[at : at + 64] = bytes(64)
    else:
        content = content[: len(content) // 2 if damage == "truncated" else 0]
    torn.write_bytes(content)
    assert folder.newest_step() == 3


def test_saving_after_a_damaged_checkpoint_deletes_it_and_keeps_intact_ones(tmp_path: Path):
    folder = CheckpointFolder(path=str(tmp_path))
    saved(folder, 3)
    for step in (5, 6):
        (tmp_path / f"step-00000000{step}.pt").write_bytes(b"torn")
    saved(folder, 4)
    assert folder.steps() == [3, 4]
    assert folder.newest_step() == 4


def test_reading_a_checkpoint_executes_nothing_in_it(tmp_path: Path):
    class Mischief:
        def __reduce__(self):
            return Path.touch, (tmp_path / "executed",)

    torch.save({"step": 1, "model": Mischief()}, tmp_path / "step-000000001.pt")
    with pytest.raises(ValueError, match="not an intact file of tensors"):
        CheckpointFolder(path=str(tmp_path)).read(1)
    assert not (tmp_path / "executed").exists()


def test_a_file_of_something_else_is_refused_by_name_with_the_remedy(tmp_path: Path):
    folder = CheckpointFolder(path=str(tmp_path))
    layer, optimiser = state(1)
    others: list[object] = [{"model": {}}, {"model": layer.state_dict()}, [1], {"model": {1: None}}]
    for content in others:
        torch.save(content, tmp_path / "step-000000002.pt")
        with pytest.raises(ValueError, match=r"step-000000002\.pt is no checkpoint of this training; delete it"):
            folder.restore(2, layer, optimiser)


def test_a_checkpoint_whose_directory_is_damaged_is_skipped_for_the_one_before(tmp_path: Path):
    folder = CheckpointFolder(path=str(tmp_path))
    saved(folder, 1, 2)
    file = tmp_path / "step-000000002.pt"
    content = bytearray(file.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 6] = 255  # the version that is needed to extract: NotImplementedError
    file.write_bytes(content)
    assert folder.newest_step() == 1
