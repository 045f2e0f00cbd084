"""Secrets are planted wherever a user can give one; nothing that a command writes or prints holds any of them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.experiments.cli.conftest import Project

SECRET = "s3cr3t"

EXPERIMENT = """
import logging, os, sys, warnings
from dataclasses import dataclass
from experiments.framework.experiment import Experiment, Row
from pipeline.errors import PipelineError
from pipeline.stage import Stage, execution
from stages.datasets.find import find_data_set
from stages.shards.shard import Shard

BUCKET = os.environ["BUCKET"]

@dataclass(frozen=True, kw_only=True)
class Leaks(Stage):
    bucket: str

    def tracked_by(self):
        return self

    def parameters(self):
        return {"bucket": self.bucket}

    def models(self):
        return {"weights": 1}

    def run(self, ctx):
        print("printed", BUCKET)
        print("printed", BUCKET, file=sys.stderr)
        warnings.warn(f"warned of {BUCKET}")
        logging.getLogger("mine").info("logged %s", BUCKET)
        ctx.progress(1, 2, f"reads {BUCKET}")
        ctx.record(1, {"loss": 1.0})
        ctx.out.write_bytes("weights", b"")
        logging.getLogger("mine").info("the end")

@dataclass(frozen=True, kw_only=True)
class Breaks(Stage):
    by_mistake: bool = False

    def run(self, ctx):
        ctx.progress(1, 1, f"reads {BUCKET}")
        if self.by_mistake:
            raise PipelineError(f"there is no {BUCKET}")
        raise RuntimeError(f"there is no {BUCKET}")

def stages(preset):
    data = find_data_set(os.environ["PLACE"])
    shards = Shard(sources=(data.source("train"),), variant=data.name)
    leaks = Leaks(bucket=BUCKET, variant="leaks", tags=(("bucket", BUCKET),))
    return shards, leaks, Breaks(variant="breaks"), Breaks(variant="mistake", by_mistake=True)

experiment = Experiment(
    name="own", question="Does it leak?", answers="no table of the paper", expects="no", row_title="row",
    rows=(Row(label="quoted", published=0.5),), figures=stages,
)
"""


@dataclass(frozen=True)
class Leaky:
    """A folder with an experiment of one's own, whose data, store and tracker are given with secrets."""

    folder: Path
    project: Project

    def run(self, *arguments: str, code: int, **environment: str) -> str:
        """Run a command; what it prints."""
        program = (sys.executable, "-c", "from experiments.cli.main import main; main()")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "MLFLOW_"))}
        planted = {
            "PLACE": self.data,
            "SSDPIPE_STORE": f"file://{self.folder}/kept?session_token={SECRET}-store",
            "SSDPIPE_CACHE": str(self.folder / "cache"),
            "BUCKET": f"s3://AKIAIOSFODNN7EXAMPLE:{SECRET}/key@bucket/data?secret_key={SECRET}&region=eu",
        }
        done = subprocess.run(
            [*program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=kept | planted | environment,
            timeout=240,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    @property
    def data(self) -> str:
        return f"file://{self.project.data}?access_key={SECRET}-data"

    def files(self) -> dict[Path, bytes]:
        return {file: file.read_bytes() for file in self.folder.rglob("*") if file.is_file()}


@pytest.fixture
def leaky(project: Project, tmp_path: Path) -> Leaky:
    (tmp_path / "leaky").mkdir()
    (tmp_path / "leaky/own.py").write_text(EXPERIMENT)
    return Leaky(tmp_path / "leaky", project)


@pytest.mark.slow
def test_no_secret_is_in_any_file_of_a_run_nor_in_what_commands_print(leaky: Leaky) -> None:
    run = ("./own.py", "--data", leaky.data, "--gpus", "0")
    printed = leaky.run("run", *run, "--cpus", "1", code=1)
    assert "To continue:" in printed
    kept = leaky.folder / "kept"
    logs = b"".join(file.read_bytes() for file in kept.rglob("*.log"))
    assert logs.count(b"printed s3://bucket/data?region=eu") == 2
    for expected in (b"warned of s3://bucket", b"logged s3://bucket", b"RuntimeError: there is no s3://bucket"):
        assert expected in logs
    assert (kept / "mlflow.db").is_file()
    unreachable = {
        "MLFLOW_TRACKING_URI": f"http://ann:{SECRET}@127.0.0.1:9",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    printed += leaky.run("report", "./own.py", code=0)
    for command in ("report", "plan", "compare"):
        printed += leaky.run(command, *run, code=0, **unreachable)
    printed += leaky.run("why", "leaks/leaks", *run, code=0)
    printed += leaky.run("show", "leaks/leaks", code=0)
    printed += leaky.run("sync", *run, code=2, **unreachable)
    printed += leaky.run("ui", code=0, **unreachable)
    assert "MLflow at http://127.0.0.1:9 cannot be updated" in printed
    assert "MLFLOW_TRACKING_URI=http://127.0.0.1:9" in printed
    assert SECRET not in printed
    leaked = [file for file, content in leaky.files().items() if SECRET.encode() in content or SECRET in str(file)]
    assert not leaked
    (page,) = kept.glob("reports/*.html")
    assert page.name == "own-full-cats.html"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data", "check", f"s3://AKIAKEY:{SECRET}/a@bucket/voc"), "s3://bucket/voc cannot be opened"),
        (("data", "check", f"file:///nowhere?access_key={SECRET}"), "there is no folder file:///nowhere;"),
        (("plan", "voc2007", "--store", f"s3://AKIAKEY:{SECRET}/a@bucket/b"), "s3://bucket/b cannot be opened"),
        (("report", f"https://ann:{SECRET}@host/own.py"), "own.py"),
        (("plan", "voc2007", f"https://ann:{SECRET}@host/a"), "https://host/a"),
        (("plan", "voc2007", f"--hub-token={SECRET}"), "--hub-token"),
        (("train", "ssd-tiny", "-s", f"password={SECRET}"), "password"),
        ((f"s3://ann:{SECRET}@host/a",), "s3://host/a"),
    ],
)
def test_a_message_about_what_was_typed_repeats_no_secret(
    leaky: Leaky, arguments: tuple[str, ...], message: str
) -> None:
    printed = leaky.run(*arguments, code=2)
    assert message in printed
    assert SECRET not in printed


def test_the_traceback_of_a_bug_holds_no_secret(leaky: Leaky) -> None:
    broken = EXPERIMENT.replace("data = find_data_set", "raise ValueError(BUCKET)  # ")
    (leaky.folder / "own.py").write_text(broken)
    printed = leaky.run("plan", "./own.py", code=1)
    assert "Traceback" in printed
    assert "ValueError: s3://bucket/data?region=eu" in printed
    assert SECRET not in printed
