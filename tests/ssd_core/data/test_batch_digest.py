from __future__ import annotations

import torch

from ssd_core.data.batch_digest import expected_digest, share_digest
from ssd_core.data.order import RowOrder, share

IDS = [f"image-{number}" for number in range(13)]


def test_shares_of_any_number_of_workers_add_up_to_the_digest_of_the_step():
    order = RowOrder((8, 5), seed=7)
    for step in range(6):  # two epochs
        expected = expected_digest(order, IDS, step=step, batch_size=5)
        for workers in (1, 2, 3, 5):
            total = torch.zeros(1, dtype=torch.int64)
            for rank in range(workers):
                positions = [step * 5 + place for place in share(5, rank=rank, world=workers)]
                total += torch.tensor([share_digest(positions, [IDS[order.at(at)[1]] for at in positions])])
            assert int(total) == expected


def test_another_image_another_order_and_another_seed_change_the_digest():
    positions, ids = [0, 1, 2], ["a", "b", "c"]
    digest = share_digest(positions, ids)
    assert digest != share_digest(positions, ["a", "b", "d"])
    assert digest != share_digest(positions, ["b", "a", "c"])
    one, other = RowOrder((8, 5), seed=7), RowOrder((8, 5), seed=8)
    assert expected_digest(one, IDS, step=0, batch_size=5) != expected_digest(other, IDS, step=0, batch_size=5)
