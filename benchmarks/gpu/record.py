"""Options of a run on a GPU, and the JSON file of one part, which is rewritten after every measurement."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from gpu.conditions import conditions


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every part receives."""

    device: torch.device
    data: Path
    """Folder with `sample` (gpu/sample.py) and `voc300` (gpu/voc300.py); either may be absent."""

    out: Path
    small: bool = False
    """Tiny networks and few rounds, to exercise the code on a CPU within seconds."""

    seconds: float = 230.0
    """Time for one part; measurements that would exceed it are skipped and listed as such."""


@dataclass
class Record:
    """Results of a part, in the order of measurement; `put` writes the file, so a stop loses one measurement."""

    part: str
    options: Options
    content: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.content = {"conditions": conditions(self.options.device), "small": self.options.small}

    def put(self, group: str, name: str, value: Any) -> None:
        """Add one measurement to a group and write everything measured so far."""
        self.content.setdefault(group, {})[name] = value
        self.content["seconds"] = round(time.monotonic() - self.began, 1)
        self.options.out.mkdir(parents=True, exist_ok=True)
        path = self.options.out / f"{self.part}.json"
        path.write_text(json.dumps(self.content, indent=1) + "\n", encoding="utf-8")
        print(f"{self.content['seconds']:6.1f} s  {self.part}  {group}  {name}", flush=True)

    def has_time(self, group: str, name: str, seconds: float) -> bool:
        """Return whether `seconds` are left; otherwise record the measurement as skipped."""
        left = self.options.seconds - (time.monotonic() - self.began)
        if left < seconds:
            self.put("skipped", f"{group}: {name}", f"{left:.0f} s left, about {seconds:.0f} s needed")
        return left >= seconds
