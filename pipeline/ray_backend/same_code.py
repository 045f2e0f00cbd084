"""Whether a worker on another node has the driver's code: the project's sources, and the libraries that compute.

Compared where a stage, a task of `Context.map` or a training worker starts. Other code there would change the result
under the same key. On the driver's own node the sources are the driver's files; those of a stage are compared by its
key (`pipeline.keys.code_digest.changed_modules`), so that a file edited during a run matters only where it is used.

Tested in tests/stages/training/test_cluster.py.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from pipeline.errors import PipelineError
from pipeline.keys.code_digest import package_folder

PACKAGES = ("experiments", "pipeline", "ssd_core", "stages")
LIBRARIES = ("numpy", "ray", "torch", "torchvision")
_driver: list[Code] = []


@dataclass(frozen=True)
class Code:
    """Code of one process, and the Ray node that it runs on."""

    node: str
    parts: Mapping[str, str]
    """Digests of modules and versions of libraries, by name."""

    @classmethod
    def this(cls) -> Code:
        return cls(_node(), _parts())

    def require(self) -> None:
        """Raise PipelineError in a process on another node whose code differs from this."""
        if _node() == self.node:
            return  # before the sources are read: each process would do that
        here = Code.this()
        names = sorted({*self.parts, *here.parts})
        if different := [name for name in names if self.parts.get(name) != here.parts.get(name)]:
            raise PipelineError(
                f"the code on node {platform.node()} differs from the driver's in {self._shown(different, here)}. "
                "Install the same version on every node, for example by `ray job submit --working-dir .`"
            )

    def _shown(self, names: list[str], here: Code) -> str:
        """Versions of libraries with both values, and the first modules."""
        libraries = [
            f"{name} ({here.parts.get(name, 'absent')} instead of {self.parts.get(name, 'none')})"
            for name in names
            if name in LIBRARIES
        ]
        modules = [name for name in names if name not in LIBRARIES]
        more = [f"{len(modules) - 5} more modules"] if len(modules) > 5 else []
        return ", ".join([*libraries, *modules[:5], *more])


def remember_driver(code: Code) -> None:
    """Keep the driver's code in the process of a stage, for the workers that the stage itself starts."""
    _driver[:] = [code]


def driver_code() -> Code | None:
    """The driver's code, in the process of a stage on Ray; None elsewhere."""
    return _driver[0] if _driver else None


def _node() -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())


@lru_cache
def _parts() -> dict[str, str]:
    """Read once: a process computes with the code that it has imported."""
    modules = {name: digest for package in PACKAGES for name, digest in _modules(package)}
    return modules | {name: found for name in LIBRARIES if (found := _version(name))}


def _modules(package: str) -> Iterator[tuple[str, str]]:
    if folder := package_folder(package):
        for path in sorted(folder.rglob("*.py")):
            name = ".".join((package, *path.relative_to(folder).with_suffix("").parts))
            yield name.removesuffix(".__init__"), hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _version(library: str) -> str:
    """Version without the build, such as +cpu: a head node may have another build than the nodes with GPUs."""
    try:
        return version(library).partition("+")[0]
    except PackageNotFoundError:
        return ""
