"""Check that shards and detector have the same classes, since labels are stored as indices.

Tested in tests/stages/detection/test_detect.py.
"""

from __future__ import annotations

from pipeline.errors import PipelineError
from ssd_core.data.shards import ShardSet
from ssd_core.spec.detector import DetectorSpec


def require_classes(shards: ShardSet, spec: DetectorSpec) -> None:
    """Raises PipelineError when the classes or their order differ."""
    if shards.classes != spec.classes:
        raise PipelineError(
            f"the shards have the classes {', '.join(shards.classes)}, but the detector has {', '.join(spec.classes)}: "
            "shard the images with the classes of the detector, in their order"
        )
