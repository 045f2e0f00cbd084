"""How far a run has come, from the files of its store; cheap enough to be asked every millisecond."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tools.chaos.command import KEEP_EVERY
from tools.chaos.schedule import Kill


@dataclass(frozen=True)
class Progress:
    store: Path
    keys: dict[str, str]
    """Keys by kind of stage, such as `train`; `shard` is the training set."""

    def committed(self) -> dict[str, str]:
        """{key: the attempt that is its result}."""
        files = (self.store / "keys").glob("*.json")
        return {path.stem: json.loads(path.read_bytes())["attempt"] for path in files}

    def is_committed(self, kind: str) -> bool:
        return (self.store / f"keys/{self.keys[kind]}.json").exists()

    def is_running(self, kind: str) -> bool:
        """Whether a stage has begun and left no result yet."""
        return (self.store / f"work/{self.keys[kind]}").exists() and not self.is_committed(kind)

    def newest_checkpoint(self) -> int:
        files = _listed(self.store / f"work/{self.keys['train']}/checkpoints", "step-*.pt")
        return max((int(path.stem.removeprefix("step-")) for path in files), default=0)

    def last_step(self) -> int:
        """The last step that the training reported."""
        try:
            text = (self.store / f"work/{self.keys['train']}/progress.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return 0
        found = re.search(r'"done": (\d+)', text)
        return int(found[1]) if found else 0

    def has_output(self, kind: str) -> bool:
        """Whether an attempt at a stage has begun to write its result."""
        return bool(_listed(self.store / f"objects/{self.keys[kind]}", "*/*"))

    def reached(self, kill: Kill, before: int) -> bool:
        """Whether the moment of a kill has come; `before` is the newest checkpoint when waiting began."""
        match kill.moment:
            case "starting":
                return True
            case "sharding":
                return self.is_running("shard") or self.is_committed("shard")
            case "committing":
                return self.has_output("train") or self.is_committed("train")
            case "detecting":
                return self.is_running("detect") or self.is_committed("detect")
        newest = before + KEEP_EVERY * kill.checkpoints
        return self.newest_checkpoint() >= newest or self.is_committed("train")

    def unfinished(self) -> str:
        """What is lost by a kill now: the stages that run, and of a training the steps after its checkpoint."""
        return ", ".join(self._lost(kind) for kind in self.keys if self.is_running(kind)) or "nothing"

    def _lost(self, kind: str) -> str:
        if kind == "train" and (last := self.newest_checkpoint()):
            return f"train after step {last}" + (f" (reported {self.last_step()})" if self.last_step() > last else "")
        if kind == "shard":
            return f"shard but {len(_listed(self.store / f'work/{self.keys[kind]}', '*.parquet'))} files"
        return kind


def _listed(folder: Path, pattern: str) -> list[Path]:
    """Files of a folder that may be deleted at any moment."""
    with suppress(FileNotFoundError):
        return list(folder.glob(pattern))
    return []
