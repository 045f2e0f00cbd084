"""When a difference is supported; quantiles of the t distribution are from printed tables."""

from __future__ import annotations

import pytest

from stages.tables.support import half_width, is_supported


@pytest.mark.parametrize(("seeds", "quantile"), [(2, 12.706), (3, 4.303), (5, 2.776), (10, 2.262)])
def test_the_interval_of_a_mean_over_seeds_is_student_s_t_interval(seeds: int, quantile: float) -> None:
    assert half_width(0.02, seeds) == pytest.approx(quantile * 0.02 / seeds**0.5, rel=2e-4)


@pytest.mark.parametrize(
    ("bounds", "spread", "seeds", "expected"),
    [
        ((0.01, 0.09), None, 1, True),
        ((-0.01, 0.09), None, 1, False),
        ((0.0, 0.09), None, 1, False),
        ((float("nan"), float("nan")), None, 1, False),
        ((0.01, 0.09), 0.02, 3, True),  # 4.303 * 0.02 / √3 = 0.0497
        ((0.01, 0.09), 0.021, 3, False),  # 0.0522
        ((-0.01, 0.09), 0.0, 3, False),
    ],
)
def test_the_intervals_over_test_images_and_seeds_must_both_exclude_zero(bounds, spread, seeds, expected) -> None:
    assert is_supported(0.05, bounds, spread, seeds) is expected
    assert is_supported(-0.05, (-bounds[1], -bounds[0]), spread, seeds) is expected
