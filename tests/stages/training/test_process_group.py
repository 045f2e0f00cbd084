from __future__ import annotations

import pytest

from pipeline.errors import PipelineError
from stages.training.process_group import _backend, interface_of


def test_the_interface_is_the_one_that_has_the_address_of_the_node():
    assert interface_of("127.0.0.1") == "lo"
    assert interface_of("203.0.113.9") == ""


def test_workers_that_see_their_gpus_use_nccl_and_declared_gpus_train_by_gloo():
    assert _backend([True, True]) == "nccl"
    assert _backend([False, False]) == "gloo"


def test_a_group_of_which_some_workers_see_no_gpu_is_refused_with_their_number():
    with pytest.raises(PipelineError, match="1 of 2 workers see no GPU"):
        _backend([True, False])
