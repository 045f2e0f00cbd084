"""The weights layouts that the importer supports.

Tested in tests/ssd_core/weights/test_any_weights.py.
"""

from __future__ import annotations

from collections.abc import Collection

from ssd_core.weights.layouts import amdegroot, caffe, chainercv, lufficc, torchvision
from ssd_core.weights.layouts.layout import Layout

LAYOUTS = {
    layout.name: layout
    for layout in (torchvision.LAYOUT, amdegroot.LAYOUT, lufficc.LAYOUT, caffe.LAYOUT, chainercv.LAYOUT)
}


def layout_of(names: Collection[str]) -> Layout:
    """Return the layout that a file's tensor names follow. Raises ValueError if it is not supported."""
    for layout in LAYOUTS.values():
        first, last = layout.layers(6)[0], layout.l2_norm
        if last in names and f"{first}{layout.separator}{layout.weight}" in names:
            return layout
    raise ValueError(
        f"not an SSD in one of the supported layouts ({', '.join(LAYOUTS)}): "
        f"its first tensors are {', '.join(list(names)[:3]) or 'missing'}"
    )
