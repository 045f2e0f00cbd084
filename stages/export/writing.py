"""Write a detector as a file that another runtime loads, with a description of it inside.

Tested in tests/stages/export/test_export.py.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pipeline.errors import PipelineError
from ssd_core.detection.exportable import (
    DETECTION_OUTPUTS,
    RAW_OUTPUTS,
    DetectionOutput,
    RawOutput,
    exported_loop,
    plain_loop,
)
from ssd_core.detection.limits import DetectionLimits
from ssd_core.weights.weights import Weights

Format = Literal["onnx", "torch-export", "torchscript"]
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "torch-export": ".pt2", "torchscript": ".torchscript"}

DESCRIPTION = "ssdpipe.json"
"""Name of the description inside each file: a metadata property in ONNX, an extra file otherwise."""

EXAMPLES = 2
"""Images in the batch that is traced; of one image, torch.export would fix the number."""


def export(weights: Weights, file: Path, kind: Format, *, raw: bool, limits: DetectionLimits) -> None:
    """Write the file; an existing one is replaced when the new one is complete."""
    detector = weights.detector()
    size = weights.spec.input_size
    images = torch.zeros(EXAMPLES, 3, size, size, dtype=torch.uint8)
    partial = file.with_name(f"{file.name}.part")
    file.parent.mkdir(parents=True, exist_ok=True)
    with quiet(), torch.no_grad():
        loop: Any = torch.jit.script(plain_loop) if kind == "torchscript" else exported_loop
        network = RawOutput(detector, flip=limits.flip) if raw else DetectionOutput(detector, limits, loop)
        _WRITERS[kind](network.eval(), images, partial, json.dumps(description(weights, raw=raw, limits=limits)))
    partial.replace(file)


def description(weights: Weights, *, raw: bool, limits: DetectionLimits) -> dict[str, Any]:
    """What a program needs in order to use the outputs, as plain values."""
    spec = weights.spec
    common = {"format": 1, "input_size": spec.input_size, "classes": list(spec.classes)}
    if raw:
        return {**common, "outputs": list(RAW_OUTPUTS), "variances": list(spec.variances)}
    return {**common, "outputs": list(DETECTION_OUTPUTS), "limits": asdict(limits)}


def _program(network: nn.Module, images: Tensor) -> Any:
    batch = torch.export.Dim("batch", min=1)
    return torch.export.export(network, (images,), dynamic_shapes=({0: batch},))


def _write_onnx(network: nn.Module, images: Tensor, file: Path, text: str) -> None:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise PipelineError(f"--to onnx needs a package: pip install 'ssdpipe[export]' ({error})") from error
    outputs = RAW_OUTPUTS if isinstance(network, RawOutput) else DETECTION_OUTPUTS
    program: Any = torch.onnx.export(
        _program(network, images),
        input_names=["images"],
        output_names=list(outputs),
        dynamo=True,
        verbose=False,
    )
    program.model.metadata_props[DESCRIPTION] = text
    program.save(file, external_data=False)


def _write_torch_export(network: nn.Module, images: Tensor, file: Path, text: str) -> None:
    with file.open("wb") as stream:
        torch.export.save(_program(network, images), stream, extra_files={DESCRIPTION: text})


def _write_torchscript(network: nn.Module, images: Tensor, file: Path, text: str) -> None:
    traced: Any = torch.jit.trace(network, images, check_trace=False)  # type: ignore[no-untyped-call]
    traced.save(str(file), _extra_files={DESCRIPTION: text})


_WRITERS: dict[Format, Callable[[nn.Module, Tensor, Path, str], None]] = {
    "onnx": _write_onnx,
    "torch-export": _write_torch_export,
    "torchscript": _write_torchscript,
}


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress the exporters' warnings: TorchScript's deprecation, and Python's values that a trace fixes."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
