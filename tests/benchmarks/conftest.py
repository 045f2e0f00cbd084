"""Import path for the benchmarks: scripts that import each other by file name, as when Python runs one of them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
