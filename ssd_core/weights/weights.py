"""The project's weights files: the specification and the tensors; reading one executes nothing in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any

import torch
from torch import Tensor

from ssd_core.network.model import Detector, parameter_shapes
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.plain import from_plain, to_plain
from ssd_core.weights.soundness import any_error_as, check_tensors
from ssd_core.weights.tensor_file import read_tensors

FORMAT = 1

MOST_BOXES = 1_000_000
"""Most default boxes of a specification in a file; SSD512 has 24,564."""


class ForeignFile(ValueError):
    """The file is not one of this project's; another program may have written it."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Parameters of one detector, on the CPU; initial weights may hold only a part of them."""

    spec: DetectorSpec
    state: dict[str, Tensor]

    @property
    def detects(self) -> bool:
        """False if they are initial weights only, such as a VGG16."""
        return any(name.startswith("heads.") for name in self.state)

    def detector(self) -> Detector:
        """Return the network with these parameters, in evaluation mode, on the CPU; ValueError if any are missing."""
        detector = Detector(self.spec)
        if missing := [name for name in detector.state_dict() if name not in self.state]:
            raise ValueError(
                f"{len(missing)} tensors of the detector are missing, such as {missing[-1]}: "
                "a training can start from these weights, but they cannot detect"
            )
        detector.load_state_dict(self.state)
        return detector.eval()


def save_weights(weights: Weights, stream: IO[bytes]) -> None:
    torch.save({"format": FORMAT, "spec": to_plain(weights.spec), "state": weights.state}, stream)


def load_weights(stream: IO[bytes]) -> Weights:
    """Read a weights file. Raises ForeignFile if it is not of this format, ValueError if it is damaged or newer.

    All its numbers are finite, and its tensors have the shapes that the specification gives them.
    """
    try:
        content: Any = read_tensors(stream)
    except ValueError as error:
        raise ForeignFile(str(error)) from error
    if not isinstance(content, dict) or "spec" not in content:
        raise ForeignFile("not a weights file of ssdpipe: it holds no specification")
    spec, state = _specification(content), _state(content)
    check_tensors(state)
    check_shapes(spec, state)
    return Weights(spec=spec, state=state)


def _specification(content: dict[str, Any]) -> DetectorSpec:
    version = content.get("format")
    if not isinstance(version, int):
        raise ValueError(f"a damaged weights file of ssdpipe: its format is {version!r}, not a number")
    if version > FORMAT:
        raise ValueError(f"weights of format {version}, but this version reads up to {FORMAT}: update ssdpipe")
    with any_error_as("the specification of the weights cannot be used"):
        spec = from_plain(DetectorSpec, content["spec"])
        if not all(isinstance(name, str) for name in spec.classes):
            raise ValueError("names of classes must be text")
        if spec.box_count > MOST_BOXES:
            raise ValueError(f"it has {spec.box_count:,} default boxes, but detectors are read up to {MOST_BOXES:,}")
        return spec


def _state(content: dict[str, Any]) -> dict[str, Tensor]:
    state = content.get("state")
    if not isinstance(state, dict):
        raise ValueError(f"a damaged weights file of ssdpipe: its tensors are {type(state).__name__}, not a dictionary")
    if strange := [name for name, value in state.items() if not isinstance(name, str) or not isinstance(value, Tensor)]:
        raise ValueError(f"a damaged weights file of ssdpipe: {strange[0]!r} is not the name of a tensor")
    return state


def check_shapes(spec: DetectorSpec, state: dict[str, Tensor]) -> None:
    """Raise ValueError that states both shapes of a tensor that does not fit; a part of the tensors is enough."""
    with any_error_as("the specification of the weights cannot be used"):
        shapes = parameter_shapes(spec)
    for name, tensor in state.items():
        if name in shapes and tensor.shape != shapes[name]:
            raise ValueError(f"{name} is {tuple(tensor.shape)}, but their specification needs {tuple(shapes[name])}")
