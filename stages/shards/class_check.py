"""Labels are numbers: shards and detector must mean the same classes by them.

Tested in tests/stages/detection/test_detect.py.
"""

from __future__ import annotations

from pipeline.errors import PipelineError
from ssd_core.data.shards import ShardSet
from ssd_core.spec.detector import DetectorSpec


def require_classes(shards: ShardSet, spec: DetectorSpec) -> None:
    """Raises PipelineError when they do not."""
    if shards.classes != spec.classes:
        raise PipelineError(
            f"the shards have the classes {', '.join(shards.classes)}, but the detector {', '.join(spec.classes)}: "
            "shard the images with the classes of the detector, in their order"
        )
