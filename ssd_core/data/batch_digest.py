"""Which images a step was computed from, as one number that workers can add up in any order.

The digest of a step is the sum over its positions of a hash of position and image id, modulo 2**64, to which each
worker adds its share. It equals the digest expected from seed and position alone when every position held its image.

Tested in tests/ssd_core/data/test_batch_digest.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from ssd_core.data.order import RowOrder

_MODULUS = 2**64


def share_digest(positions: Iterable[int], image_ids: Iterable[str]) -> int:
    """Digest of a worker's share of a step, as a signed 64-bit number: tensors of those add up modulo 2**64."""
    total = sum(_hash(position, image_id) for position, image_id in zip(positions, image_ids, strict=True))
    return _signed(total % _MODULUS)


def expected_digest(order: RowOrder, image_ids: Sequence[str], *, step: int, batch_size: int) -> int:
    """Digest of step `step`, counted from 0, as a pure function of the seed; `image_ids` are those of all rows."""
    positions = range(step * batch_size, (step + 1) * batch_size)
    return share_digest(positions, (image_ids[order.at(position)[1]] for position in positions))


def _hash(position: int, image_id: str) -> int:
    return int.from_bytes(blake2b(f"{position}:{image_id}".encode(), digest_size=8).digest())


def _signed(value: int) -> int:
    return value - _MODULUS if value >= _MODULUS // 2 else value
