"""The project's weights files: the specification and the tensors; reading one executes nothing in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any

import torch
from torch import Tensor

from ssd_core.network.model import Detector
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.plain import from_plain, to_plain
from ssd_core.weights.tensor_file import read_tensors

FORMAT = 1


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
    """Read a weights file. Raises ForeignFile if it is not of this format, ValueError if it is of a newer one."""
    try:
        content: Any = read_tensors(stream)
    except ValueError as error:
        raise ForeignFile(str(error)) from error
    if not isinstance(content, dict) or "spec" not in content:
        raise ForeignFile("not a weights file of ssdpipe: it holds no specification")
    if content["format"] > FORMAT:
        raise ValueError(
            f"weights of format {content['format']}, but this version reads up to {FORMAT}: update ssdpipe"
        )
    return Weights(spec=from_plain(DetectorSpec, content["spec"]), state=content["state"])
