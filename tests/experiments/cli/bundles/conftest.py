"""A user's file whose trainings are those of the store `compared`, and its bundle."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from experiments.framework.bundles.index import INDEX, SEAL, read_index
from experiments.framework.bundles.packing import seal
from pipeline.folder import Folder
from pipeline.keys.fingerprint import Ingredients, digest
from stages.bundles.tar_file import pack, unpacked
from tests.experiments.conftest import Compared

FILE = """
from dataclasses import replace

from ssdpipe import Claim, Difference
from tests.experiments.conftest import EXPERIMENT, on_few_images

experiment = replace(
    EXPERIMENT,
    adjust=on_few_images,
    claims=(
        Claim("Oblong boxes help.", Difference("all", "squares")),
        Claim("They do not.", Difference("squares", "all")),
    ),
)
"""


@dataclass(frozen=True)
class Bundled:
    """The bundle of an experiment, and the file that it is the bundle of."""

    file: Path
    experiment: Path
    store: str

    def names(self) -> set[str]:
        with tarfile.open(self.file) as tar:
            return set(tar.getnames())

    def member(self, name: str) -> bytes:
        with tarfile.open(self.file) as tar:
            stream = tar.extractfile(name)
            assert stream
            return stream.read()

    def bundle(self, out: Path, *options: str) -> Result:
        return ssdpipe(
            "bundle", str(self.experiment), "--preset", "tiny", "--store", self.store, "--out", str(out), *options
        )


def flipped(archive: Path, member: str, text: bytes, out: Path) -> Path:
    """A copy of the archive with one bit of a member flipped: in the last byte of where `text` first occurs."""
    content = bytearray(archive.read_bytes())
    with tarfile.open(archive) as tar:
        info = tar.getmember(member)
    place = content.index(text, info.offset_data) + len(text) - 1
    assert place < info.offset_data + info.size
    content[place] ^= 1
    out.write_bytes(content)
    return out


def forged(archive: Path, change: Callable[[Path], None], out: Path) -> Path:
    """A copy of the archive with changed files, whose index has the keys and checksums of the changed ones."""
    with TemporaryDirectory() as temporary:
        folder = Folder(temporary)
        unpacked(archive, Path(temporary))
        index = read_index(folder, "")
        change(Path(temporary))
        results = {folder.read_json(f"{each.folder}/result.json")["key"]: each for each in index.results.values()}
        index = msgspec.structs.replace(index, results=results)
        for name in (INDEX, SEAL):
            folder.delete(name)
        seal(index, folder)
        pack(Path(temporary), out)
    return out


def with_code(folder: Path, place: Path, code: Any) -> None:
    """Give a bundled result the digests of other functions, and the key that it has then."""
    value = json.loads(place.read_text(encoding="utf-8"))
    value["ingredients"]["code"] = code
    value["key"] = Ingredients(**value["ingredients"]).key
    value["ingredients"]["code"] = digest(code)
    place.write_text(json.dumps(value), encoding="utf-8")
    (folder / f"code/{digest(code)}.json").write_text(json.dumps(code), encoding="utf-8")


def ssdpipe(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(scope="session")
def bundled(compared: Compared, tmp_path_factory: pytest.TempPathFactory) -> Bundled:
    folder = tmp_path_factory.mktemp("bundles")
    experiment = folder / "shapes.py"
    experiment.write_text(FILE)
    bundled = Bundled(folder / "shapes.tar", experiment, compared.place)
    result = bundled.bundle(bundled.file)
    assert result.exit_code == 0, result.exception
    return bundled
