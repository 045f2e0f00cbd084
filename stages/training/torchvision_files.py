"""torchvision's weights files trained on ImageNet, in its cache.

Tested in tests/stages/training/test_initial.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError


def torchvision_cache(file: str) -> Path:
    """Where torchvision keeps a downloaded file."""
    from torch.hub import get_dir

    return Path(get_dir()) / "checkpoints" / file


def fetch(weights: Any, name: str, file: str) -> None:
    """Download the file of a torchvision weights entry. Raises PipelineError, with the remedy, when that fails."""
    try:
        weights.get_state_dict(progress=True, check_hash=True)
    except OSError as error:
        raise PipelineError(
            f"the ImageNet weights of {name} are not at {torchvision_cache(file)} and could not be downloaded "
            f"({error}).\nPut {file} there, give a {name} file with --init FILE, or train with --init scratch."
        ) from error
