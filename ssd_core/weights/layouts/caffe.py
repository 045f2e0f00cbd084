"""The released models (weiliu89/caffe, branch ssd): BGR minus the means, boxes not clipped, sizes truncated to pixels.

Paper and Caffe number layers differently: conv7 is fc7, conv8_2 is conv6_2, and so on. Blobs are named by index.

Tested in tests/ssd_core/weights/test_importing.py.
"""

from __future__ import annotations

from ssd_core.spec.paper import truncated
from ssd_core.weights.layouts.layout import Layout

VGG = (
    "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3",
    "conv4_1", "conv4_2", "conv4_3", "conv5_1", "conv5_2", "conv5_3", "fc6", "fc7",
)  # fmt: skip


def _layers(maps: int) -> tuple[str, ...]:
    extras = [f"conv{number}_{part}" for number in range(6, 4 + maps) for part in (1, 2)]
    sources = ["conv4_3_norm", "fc7", *extras[1::2]]
    return (
        *VGG,
        *extras,
        *(f"{source}_mbox_loc" for source in sources),
        *(f"{source}_mbox_conf" for source in sources),
    )


LAYOUT = Layout(
    name="caffe", layers=_layers, l2_norm="conv4_3_norm/0", weight="0", bias="1", separator="/", as_trained=truncated
)
