"""`ssdpipe bisect`: which of the settings of two trainings makes the difference between their scores.

Tested in tests/experiments/cli/search/test_bisect.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.requests.bisection import BisectRequest, Chosen, Origin
from experiments.cli.requests.request import CpusPerWorkerOption, GpusOption, InProcessOption
from experiments.cli.search.rounds import BudgetOption, DryRunOption, OutOfBudget, Rounds, show_plan
from experiments.cli.shared.completion import complete_training
from experiments.cli.shared.options import JsonOption, RunOptions

if TYPE_CHECKING:
    from experiments.cli.search.bisection_text import Story
    from experiments.framework.search.bisecting import Combination, Need, Rule
    from experiments.framework.search.evidence import Assumed, Scores
    from experiments.framework.search.sides import Pair
    from pipeline.store.store import Store


def _argument(name: str, text: str) -> Any:
    return typer.Argument(metavar=name, help=text, show_default=False, autocompletion=complete_training)


A = Annotated[
    str, _argument("A", "Address of a training, such as train/all-six/seed0, or the first characters of its key.")
]
B = Annotated[str, _argument("B", "The training that A is compared with.")]


@dataclass(frozen=True, kw_only=True)
class BisectOptions:
    """What is compared, with how many trainings, and where they run."""

    metric: Annotated[
        str, typer.Option(help="Number to explain, such as voc07/mAP; by default the main one of the protocol.")
    ] = ""
    seeds: Annotated[int, typer.Option(min=2, help="Number of seeds at the first look at a combination.")] = 2
    max_seeds: Annotated[int, typer.Option(min=2, help="Seeds after which a comparison stays undecided.")] = 8
    budget: BudgetOption = ""
    own_file: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Your own experiment, if it trained A or B; repeatable."),
    ] = None
    gpus: GpusOption = None
    gpus_per_training: Annotated[int, typer.Option(min=1, help="GPUs of each training; no effect on CPU.")] = 1
    cpus_per_worker: CpusPerWorkerOption = None
    in_process: InProcessOption = False

    def request(self, a: str, b: str, store: Store) -> BisectRequest:
        return BisectRequest(
            a=origin(a, store),
            b=origin(b, store),
            own_files=tuple(self.own_file or ()),
            gpus=self.gpus,
            gpus_per_training=self.gpus_per_training,
            cpus_per_worker=self.cpus_per_worker,
            in_process=self.in_process,
        )


def bisect(
    a: A,
    b: B,
    *,
    options: BisectOptions,
    running: RunOptions,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find the setting that makes two trainings differ.

    Trains A and B with further seeds, then combinations of their settings, halving those that come into question. Each
    comparison gets the seeds that its interval needs. Settings that matter only together are reported as such. What is
    cached is not trained again; after a failure or Ctrl-C, the same command resumes.
    """
    from experiments.framework.search.bisecting import Rule
    from pipeline.errors import PipelineError
    from pipeline.store.store import Store

    if options.max_seeds < options.seeds:
        raise PipelineError(f"--max-seeds {options.max_seeds} is less than --seeds {options.seeds}")
    rounds = Rounds(running=running, budget=options.budget, gpus=options.gpus)
    request = options.request(a, b, Store.open(running.store))
    pair = request.pair()
    rule = Rule(seeds=options.seeds, most_seeds=options.max_seeds, assumed=_assumed(pair, options.metric))
    if dry_run:
        _show_first(request, pair, rule, running, as_json=as_json)
        return
    story = _search(request, pair, rule, rounds, options.metric or metric_of(pair), quiet=as_json)
    print(json.dumps(story.to_json(), indent=1) if as_json else "\n".join(story.conclusion()))


def _search(request: BisectRequest, pair: Pair, rule: Rule, rounds: Rounds, metric: str, *, quiet: bool) -> Story:
    from experiments.cli.search.bisection_text import Story
    from experiments.framework.search.bisecting import Bisection

    search = Bisection(len(pair.settings), rule)
    story = Story(pair=pair, a=request.a.address, b=request.b.address, metric=metric, search=search, rounds=rounds)
    printed = 0
    if not quiet:
        print("\n".join(story.head()), flush=True)
    steps = search.run()
    need = next(steps)
    while True:
        try:
            need = steps.send(_scores(request, need, rounds, metric))
        except StopIteration as done:
            story.found = done.value
        except OutOfBudget as error:
            story.stopped = str(error)
        if not quiet:
            print("".join(f"{line}\n" for line in story.looks()[printed:]), end="", flush=True)
            printed = len(story.looks())
        if story.found or story.stopped:
            return story


def _scores(request: BisectRequest, need: Need, rounds: Rounds, metric: str) -> Mapping[Combination, Scores]:
    from experiments.framework.search.evidence import read_scores

    chosen = tuple(Chosen(places=tuple(sorted(each)), seeds=seeds) for each, seeds in need.seeds.items())
    step = replace(request, chosen=chosen)
    evaluations = step.evaluations(step.placement())
    found = rounds.results(step, [stage for each in evaluations.values() for stage in each])
    return {
        frozenset(each.places): read_scores(metric, {seed: found[stage] for seed, stage in enumerate(stages)})
        for each, stages in evaluations.items()
    }


def _show_first(request: BisectRequest, pair: Pair, rule: Rule, running: RunOptions, *, as_json: bool) -> None:
    """Show the settings, what A and B would be trained for, and how many trainings may follow."""
    from experiments.cli.search.bisection_text import settings_lines
    from experiments.cli.shared.printing import wrapped
    from experiments.framework.search.bisecting import most_comparisons

    ends = tuple(Chosen(places=places, seeds=rule.seeds) for places in ((), tuple(range(len(pair.settings)))))
    if not as_json:
        between = most_comparisons(len(pair.settings))
        print("\n".join(settings_lines(pair, request.a.address, request.b.address)))
        most = (2 + between) * rule.most_seeds
        text = (
            f"first A and B with {rule.seeds} seeds each, as below; then, if one setting makes the difference, up to "
            f"{between} combinations, each with {rule.seeds} to {rule.most_seeds} seeds: at most {most} trainings"
        )
        print(wrapped(text, ""), end="\n\n")
    show_plan(replace(request, chosen=ends), running, as_json=as_json)


def origin(named: str, store: Store) -> Origin:
    """A training, or that of an evaluation, with the request that made it. Raises PipelineError for other results."""
    from pipeline.errors import PipelineError
    from pipeline.store.lookup import find_result

    manifest = find_result(store, named)
    trained = manifest.inputs.get("training")
    if not manifest.address.startswith("train/") and trained and (behind := store.find(trained["key"])):
        manifest = behind
    if not manifest.address.startswith("train/"):
        raise PipelineError(f"{manifest.address} is no training: name one, as train/all-six/seed0")
    if not (request := manifest.provenance.get("request")):
        raise PipelineError(f"{manifest.address} does not record the command that trained it: train it by a command")
    return Origin(address=manifest.address, request=request)


def metric_of(pair: Pair) -> str:
    from experiments.framework.experiment import METRICS

    return METRICS[pair.scoring.protocol]


def _assumed(pair: Pair, metric: str) -> Assumed:
    from experiments.framework.claims.assumptions import assumption
    from experiments.framework.search.evidence import Assumed

    known = assumption(pair.preset, metric or metric_of(pair))
    return Assumed(seeds=known.seeds, images=known.images)
