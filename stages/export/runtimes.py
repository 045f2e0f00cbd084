"""Run an exported file in its own runtime on the CPU. Loading one executes it: only files just written are loaded.

Tested in tests/stages/export/test_export.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from pipeline.errors import PipelineError
from stages.export.writing import DESCRIPTION, Format, quiet

Run = Callable[[UInt8[Tensor, "B 3 S S"]], tuple[Tensor, ...]]


class Exported:
    """An exported file, loaded."""

    def __init__(self, file: Path, kind: Format) -> None:
        with quiet():
            self._run, text = _LOADERS[kind](file)
        self.description: Mapping[str, Any] = json.loads(text)

    def __call__(self, images: UInt8[Tensor, "B 3 S S"]) -> dict[str, Tensor]:
        """Outputs by name, for RGB images at the input size."""
        return dict(zip(self.description["outputs"], self._run(images), strict=True))


def _load_onnx(file: Path) -> tuple[Run, str]:
    try:
        import onnxruntime
    except ImportError as error:
        raise PipelineError(f"--check needs a package: pip install 'ssdpipe[export]' ({error})") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    text = session.get_modelmeta().custom_metadata_map[DESCRIPTION]

    def run(images: Tensor) -> tuple[Tensor, ...]:
        return tuple(map(torch.from_numpy, session.run(None, {"images": images.numpy()})))

    return run, text


def _load_torch_export(file: Path) -> tuple[Run, str]:
    texts = {DESCRIPTION: ""}
    with file.open("rb") as stream:
        module = torch.export.load(stream, extra_files=texts).module()
    return module, texts[DESCRIPTION]


def _load_torchscript(file: Path) -> tuple[Run, str]:
    texts = {DESCRIPTION: ""}
    module = torch.jit.load(str(file), _extra_files=texts)  # type: ignore[no-untyped-call]
    text: Any = texts[DESCRIPTION]
    return module, text if isinstance(text, str) else text.decode()


_LOADERS: dict[Format, Callable[[Path], tuple[Run, str]]] = {
    "onnx": _load_onnx,
    "torch-export": _load_torch_export,
    "torchscript": _load_torchscript,
}
