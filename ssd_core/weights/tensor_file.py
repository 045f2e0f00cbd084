"""Reading of tensor files without executing anything in them.

Tested in tests/ssd_core/weights/test_weights.py.
"""

from __future__ import annotations

from typing import IO, Any

import torch

from ssd_core.weights.soundness import any_error_as, check_size


def read_tensors(stream: IO[bytes]) -> Any:
    """Return the content of a file written by `torch.save`, on the CPU: tensors, numbers, text and containers of them.

    Raises ValueError if it holds anything else, is truncated or too large, or is not such a file.
    """
    check_size(stream)
    with any_error_as("not an intact file of tensors"):
        return torch.load(stream, map_location="cpu", weights_only=True)
