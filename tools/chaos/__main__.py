"""A campaign: `make chaos`, with CHAOS_SEED (0) and CHAOS_KILLS (30); `--first` and `--last` select rounds.

Prints a line for each kill, then all kills in PLACE as a table in Markdown, and exits with code 1 if anything was lost,
recomputed, left behind or different. Other Ray sessions may run on the machine; they only make it slower.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import tempfile
from pathlib import Path

from tools.chaos.checks import digests
from tools.chaos.command import Command, draw_images
from tools.chaos.progress import Progress
from tools.chaos.schedule import Round, schedule
from tools.chaos.summary import forget, kills, record, table
from tools.chaos.trial import Trial, keys_by_kind, left_alone


def main() -> int:
    arguments = _parse()
    signal.signal(signal.SIGHUP, lambda *_: None)  # under nohup it is ignored, by the commands to be killed too
    rounds = [
        round_
        for round_ in schedule(arguments.seed, arguments.kills)
        if arguments.first <= round_.number <= (arguments.last if arguments.last >= 0 else round_.number)
    ]
    place = Path(arguments.place or tempfile.mkdtemp(prefix="ssdpipe-chaos-"))
    data, reference = draw_images(place), place / "undisturbed"
    if not digests(reference):
        left_alone(Command.on(data, reference))
    undisturbed = digests(reference)
    deaths, found = 0, list[str]()
    for round_ in rounds:
        trial = _carry_out(round_, data, place, undisturbed)
        deaths += trial.deaths
        found += [f"round {round_.number}: {breach}" for breach in trial.found]
    print(table(kills(place)))
    verdict = "\n".join(found) or "nothing was lost, recomputed, left behind or different"
    print(f"seed {arguments.seed}, {deaths} kills: {verdict}")
    if not found and not arguments.place:
        shutil.rmtree(place)
    return 1 if found else 0


def _carry_out(round_: Round, data: Path, place: Path, undisturbed: dict[str, tuple[str, str]]) -> Trial:
    """Run one round and print its kills."""
    store = place / f"round-{round_.number}"
    shutil.rmtree(store, ignore_errors=True)
    forget(place, round_.number)
    trial = Trial(Command.on(data, store), Progress(store, keys_by_kind(undisturbed)), undisturbed)
    for death in trial.run(round_):
        print(f"round {round_.number}  {death}", flush=True)
        record(place, round_.number, death)
    return trial


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("CHAOS_SEED", "0")))
    parser.add_argument("--kills", type=int, default=int(os.environ.get("CHAOS_KILLS", "30")))
    parser.add_argument("--first", type=int, default=0, help="first round to run")
    parser.add_argument("--last", type=int, default=-1, help="last round to run; by default all")
    parser.add_argument("--place", default="", help="keep stores and logs in this folder, and continue from it")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
