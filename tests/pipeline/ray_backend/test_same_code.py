"""What comparing the code of two processes costs; that it is compared is tested on clusters."""

from __future__ import annotations

import pytest

from pipeline.errors import PipelineError
from pipeline.ray_backend import same_code
from pipeline.ray_backend.same_code import Code


def test_sources_are_read_only_on_another_node_than_the_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(same_code, "_node", lambda: "here")
    same_code._parts.cache_clear()
    Code("here", {"torch": "0.1"}).require()
    assert same_code._parts.cache_info().currsize == 0
    with pytest.raises(PipelineError, match=r"torch \(.* instead of 0\.1\)"):
        Code("there", {"torch": "0.1"}).require()
    assert same_code._parts.cache_info().currsize == 1
