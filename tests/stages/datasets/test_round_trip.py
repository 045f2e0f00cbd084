"""What is written in any layout is read back, whatever harmless oddities it has.

Such oddities are what the tools of practitioners write: other orders, blanks, encodings, ids as text, paths, omitted
optional fields.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.datasets.defects import is_legal
from tests.stages.datasets.random_sets import WRITERS, Picture, data_sets, expected, read_back

EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.parametrize("layout", WRITERS)
@EXAMPLES
@given(pictures=data_sets(), odd=st.randoms(use_true_random=False))
def test_a_data_set_with_harmless_oddities_is_read_as_it_was_written(
    layout: str, pictures: list[Picture], odd: random.Random
) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        WRITERS[layout](root, pictures, odd)
        read, defects = read_back(root, layout)
        assert read == expected(pictures, layout)
        assert [str(defect) for defect in defects if not is_legal(defect.kind)] == []
    finally:
        shutil.rmtree(root)
