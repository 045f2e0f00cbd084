"""The order of the images in the stream; expected values by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ssd_core.data.order import WINDOW_GROUPS, RowOrder, epoch_order, generator, share

GROUPS = (5, 5, 2) * 20


def test_every_epoch_holds_each_row_once_in_its_own_order():
    first, second = (epoch_order(GROUPS, seed=3, epoch=epoch) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(240))
    assert (first != second).mean() > 0.9
    assert (first != np.arange(240)).mean() > 0.9


def test_the_order_is_a_function_of_the_seed():
    np.testing.assert_array_equal(epoch_order(GROUPS, seed=3, epoch=1), epoch_order(GROUPS, seed=3, epoch=1))
    assert (epoch_order(GROUPS, seed=4, epoch=1) != epoch_order(GROUPS, seed=3, epoch=1)).any()


def test_a_window_reads_whole_row_groups_and_no_others():
    order = epoch_order((4,) * 40, seed=0, epoch=0)
    windows = [order[at : at + 4 * WINDOW_GROUPS] // 4 for at in range(0, len(order), 4 * WINDOW_GROUPS)]
    assert [len(set(groups)) for groups in windows] == [16, 16, 8]
    assert sum(len(set(groups)) for groups in windows) == 40


def test_which_groups_share_a_window_changes_from_epoch_to_epoch():
    first, second = (set(epoch_order((4,) * 40, seed=0, epoch=epoch)[: 4 * WINDOW_GROUPS] // 4) for epoch in (0, 1))
    assert first != second
    assert first != set(range(WINDOW_GROUPS))


def test_images_of_a_window_are_shuffled_across_its_groups():
    groups = epoch_order((32,) * 16, seed=0, epoch=0) // 32
    assert np.mean(groups[1:] == groups[:-1]) == pytest.approx(31 / 511, abs=0.045)  # neighbours by chance


def test_positions_run_through_the_epochs_without_end():
    order = RowOrder((3, 2), seed=7)
    places = [order.at(position) for position in range(15)]
    assert [epoch for epoch, _ in places] == [0] * 5 + [1] * 5 + [2] * 5
    assert sorted(row for _, row in places[5:10]) == [0, 1, 2, 3, 4]
    far = RowOrder((3, 2), seed=7)
    assert far.at(12) == places[12]  # without having been anywhere else
    assert far.at(3) == places[3]


def test_no_images_at_all_are_refused():
    with pytest.raises(ValueError, match="no images"):
        RowOrder((), seed=0)


@pytest.mark.parametrize(("batch", "world"), [(32, 1), (32, 2), (32, 3), (5, 4), (8, 8)])
def test_the_shares_of_all_workers_are_the_batch_and_differ_by_at_most_one(batch: int, world: int):
    shares = [share(batch, rank=rank, world=world) for rank in range(world)]
    assert [place for places in shares for place in places] == list(range(batch))
    sizes = [len(places) for places in shares]
    assert max(sizes) - min(sizes) <= 1


def test_more_workers_than_images_in_a_batch_are_refused():
    with pytest.raises(ValueError, match="batch of 4 images cannot be split over 8 workers"):
        share(4, rank=0, world=8)


def test_random_numbers_differ_by_purpose_seed_epoch_and_index_and_repeat_otherwise():
    def numbers(purpose: Any = "order", **place: int) -> tuple[float, ...]:
        return tuple(generator(purpose, **({"seed": 1, "epoch": 2, "index": 3} | place)).random(4))

    drawn = [
        numbers(), numbers("augmentation"), numbers(seed=2), numbers(epoch=3), numbers(index=2),
        numbers(epoch=3, index=2), numbers(seed=-1),
    ]  # fmt: skip
    assert len(set(drawn)) == len(drawn)
    assert numbers() == drawn[0]


def test_neighbouring_images_draw_unrelated_numbers():
    first = np.array([generator("augmentation", seed=0, epoch=0, index=index).random() for index in range(4000)])
    assert first.mean() == pytest.approx(0.5, abs=0.02)
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.065  # 4 / sqrt(4000)
