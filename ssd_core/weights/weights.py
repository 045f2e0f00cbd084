"""A file of weights: the specification, the tensors, and nothing that is executed when it is read."""

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
    """The file is none of ours; another program may have written it."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Parameters of one detector, on the CPU; those to start a training from may be a part of them."""

    spec: DetectorSpec
    state: dict[str, Tensor]

    @property
    def detects(self) -> bool:
        """False when they are first weights only, such as a VGG16."""
        return any(name.startswith("heads.") for name in self.state)

    def detector(self) -> Detector:
        """The network with these parameters, in evaluation mode, on the CPU. ValueError when some are missing."""
        detector = Detector(self.spec)
        if missing := [name for name in detector.state_dict() if name not in self.state]:
            raise ValueError(
                f"{len(missing)} tensors of the detector are not there, such as {missing[-1]}: "
                "a training can start from these weights, but they detect nothing"
            )
        detector.load_state_dict(self.state)
        return detector.eval()


def save_weights(weights: Weights, stream: IO[bytes]) -> None:
    torch.save({"format": FORMAT, "spec": to_plain(weights.spec), "state": weights.state}, stream)


def load_weights(stream: IO[bytes]) -> Weights:
    """Raises ForeignFile when the file is not of this format, ValueError when it is of a newer one."""
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
