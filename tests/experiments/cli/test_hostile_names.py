"""Names in a store or a data set that hold control characters: no command hides or forges what it prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.experiments.cli.test_main import ssdpipe

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project

HOSTILE = "a\x1b[2J\x9b1m\nINFO all is well\r\u202eb\x07"


def test_no_command_prints_control_characters_of_a_store(project: Project, tmp_path: Path) -> None:
    for file in (project.store / "keys").glob("*.json"):
        manifest = json.loads(file.read_text())
        manifest["address"] += HOSTILE
        manifest["settings"] = {HOSTILE: HOSTILE}
        file.write_text(json.dumps(manifest))
        key = manifest["key"]
    for command in (("show", key), ("show", "nothing"), ("store", "verify"), ("du",), ("gc", "--dry-run")):
        done = ssdpipe(*command, where=tmp_path, SSDPIPE_STORE=str(project.store))
        printed = done.stdout + done.stderr
        assert not set(printed.replace("\n", "")) & {chr(code) for code in (*range(32), 0x7F, 0x9B, 0x202E)}, command
        assert "\nINFO" not in printed, command


def test_no_command_prints_control_characters_of_a_data_set(project: Project, tmp_path: Path) -> None:
    annotation = project.data / "Annotations/a.xml"
    annotation.write_text(annotation.read_text().replace("cat", "c&#x9b;31mat&#10;INFO all is well"))
    for command in (("data", "check"), ("data", "shard")):
        arguments = (str(project.data), "--classes", "dog") if command[1] == "shard" else (str(project.data),)
        done = ssdpipe(*command, *arguments, where=tmp_path, SSDPIPE_STORE=str(project.store))
        printed = done.stdout + done.stderr
        assert "\x9b" not in printed, command
        assert "\nINFO" not in printed, command
