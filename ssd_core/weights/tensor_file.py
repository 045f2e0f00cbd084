"""Reading of tensor files without executing anything in them.

Tested in tests/ssd_core/weights/test_weights.py.
"""

from __future__ import annotations

import pickle
from typing import IO, Any

import torch


def read_tensors(stream: IO[bytes]) -> Any:
    """Return the content of a file written by `torch.save`, on the CPU: tensors, numbers, text and containers of them.

    Raises ValueError if it holds anything else, is truncated, or is not such a file.
    """
    try:
        return torch.load(stream, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "it is truncated"
        raise ValueError(f"not an intact file of tensors: {reason}") from error
