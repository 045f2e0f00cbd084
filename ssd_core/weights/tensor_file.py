"""Files of tensors, read without executing anything in them.

Tested in tests/ssd_core/weights/test_weights.py.
"""

from __future__ import annotations

import pickle
from typing import IO, Any

import torch


def read_tensors(stream: IO[bytes]) -> Any:
    """Content of a file that `torch.save` wrote, on the CPU: tensors, numbers, text and containers of them.

    Raises ValueError when it holds anything else, is cut short, or is no such file at all.
    """
    try:
        return torch.load(stream, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "it ends too soon"
        raise ValueError(f"not a whole file of tensors: {reason}") from error
