"""Files that torchvision trained on ImageNet and keeps in its cache.

Tested in tests/stages/training/test_initial.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError


def torchvision_cache(file: str) -> Path:
    """Where torchvision keeps a file that it fetched."""
    from torch.hub import get_dir

    return Path(get_dir()) / "checkpoints" / file


def fetch(weights: Any, name: str, file: str) -> None:
    """Bring the file of an entry of torchvision's; PipelineError says what to do where there is no network."""
    try:
        weights.get_state_dict(progress=True, check_hash=True)
    except OSError as error:
        raise PipelineError(
            f"the ImageNet weights of {name} are not at {torchvision_cache(file)} and could not be fetched ({error}).\n"
            f"Put {file} there, name a {name} file with --init FILE, or train with --init scratch."
        ) from error
