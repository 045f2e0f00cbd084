"""The batch script, run by bash on this host; stand-ins for Slurm's own commands do on one host what Slurm does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy/slurm/ssdpipe.sbatch"
SRUN = """#!/bin/bash
while [[ $1 == -* ]]; do shift; done  # srun's own options
exec "$@"
"""
SCONTROL = """#!/bin/bash
echo "$@" >> "$SLURM_SUBMIT_DIR/scontrol.log"
"""
RAY = """#!/bin/bash
echo "$@" > "$SLURM_SUBMIT_DIR/ray.log"
stat -c %a "$RAY_AUTH_TOKEN_PATH" >> "$SLURM_SUBMIT_DIR/ray.log"
while [[ $1 != -- ]]; do shift; done
shift
"$@"
"""
SSDPIPE = """#!/bin/bash
trap 'echo saved > "$SLURM_SUBMIT_DIR/saved"; exit 130' TERM
echo "$RAY_ADDRESS $*" > "$SLURM_SUBMIT_DIR/started"
if [[ $1 == wait ]]; then while true; do sleep 0.1; done; fi
exit "$1"
"""


def slurm(folder: Path, *arguments: str, **programs: str) -> subprocess.Popen[str]:
    """Start the script as Slurm does, with these programs before all others on the PATH."""
    venv = folder / "venv/bin"
    venv.mkdir(parents=True)
    for name, text in {"srun": SRUN, "scontrol": SCONTROL, **programs}.items():
        (venv / name).write_text(text)
        (venv / name).chmod(0o755)
    (venv / "python").symlink_to(sys.executable)
    job = {
        "SLURM_JOB_ID": "41",
        "SLURM_JOB_NUM_NODES": "1",
        "SLURM_SUBMIT_DIR": str(folder),
        "SLURM_CPUS_PER_TASK": "2",
    }
    environment = {**os.environ, **job, "VENV": str(folder / "venv"), "SSDPIPE_STORE": str(folder / "store")}
    command = ["bash", str(SCRIPT), *arguments]
    return subprocess.Popen(command, env=environment, cwd=folder, text=True, stdout=-1, stderr=subprocess.STDOUT)


def test_ray_starts_with_the_resources_of_the_job_behind_a_token_that_only_its_owner_can_read(tmp_path: Path) -> None:
    job = slurm(tmp_path, "0", ray=RAY, ssdpipe=SSDPIPE)
    output, _ = job.communicate(timeout=30)
    assert job.returncode == 0, output
    command, mode = (tmp_path / "ray.log").read_text().splitlines()
    assert "symmetric-run" in command
    assert "--min-nodes 1 --num-cpus 2 --num-gpus 0" in command
    assert ":20041 " in command
    assert mode == "600"
    assert list(tmp_path.glob(".ssdpipe-41-*")) == [], "the token goes with the job"


def test_the_exit_code_of_the_command_is_that_of_the_job(tmp_path: Path) -> None:
    job = slurm(tmp_path, "2", ray=RAY, ssdpipe=SSDPIPE)
    job.communicate(timeout=30)
    assert job.returncode == 2


def test_before_the_time_limit_the_driver_is_asked_to_save_and_the_job_is_queued_again(tmp_path: Path) -> None:
    job = slurm(tmp_path, "wait", ray=RAY, ssdpipe=SSDPIPE)
    until(tmp_path / "started")
    job.send_signal(signal.SIGTERM)  # --signal=B:TERM@120 sends it to the script alone
    output, _ = job.communicate(timeout=30)
    assert (tmp_path / "saved").exists(), output
    assert (tmp_path / "scontrol.log").read_text() == "requeue 41\n"


def until(file: Path) -> None:
    for _ in range(300):
        if file.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{file} was not written in 30 s")


@pytest.mark.slow
def test_real_ray_starts_and_runs_the_command(tmp_path: Path) -> None:
    """In a process namespace of its own, since `ray stop` ends every Ray that it sees."""
    alone = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("process namespaces are not allowed here")
    here = Path(sys.executable).parent
    scripts = {name: f'#!/bin/bash\nexec {here / name} "$@"\n' for name in ("ray", "ssdpipe")}
    srun = SRUN.replace('exec "$@"', f'exec {" ".join(alone)} "$@"')
    output, _ = slurm(tmp_path, "list", **scripts, srun=srun).communicate(timeout=120)
    assert "ablation-layers" in output, output
