"""`ssdpipe diff`: what differs between two results, runs or files of weights.

Tested in tests/experiments/cli/runs/test_diff.py.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.shared.completion import complete_stage
from experiments.cli.shared.options import JsonOption, StorePlace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from experiments.framework.differences.numbers import NumberChange
    from experiments.framework.differences.results import Difference
    from experiments.framework.differences.weights import WeightDifference
    from pipeline.store.store import Manifest, Store

MOST = 12
"""Numbers or tensors that are printed; JSON has all."""


def _argument(name: str, text: str) -> Any:
    return typer.Argument(metavar=name, help=text, show_default=False, autocompletion=complete_stage)


A = Annotated[
    str, _argument("A", "Address or first characters of a key, a table, the id of a run, or a file of weights.")
]
B = Annotated[str, _argument("B", "The other result; by default the one of A before.")]


def diff(a: A, b: B = "", *, place: StorePlace, as_json: JsonOption = False) -> None:
    """Show what differs between two results.

    A result is a stage's, a table, a run or a file of weights. Prints settings by the names of `-s`, functions, data,
    environment and numbers; the main number with its 95 % interval over resampled test images, if both were scored on
    the same. With only A, its newest result is compared with the one before.
    """
    from pipeline.store.store import Store

    store = Store.open(place.store)
    difference = _weights(a, b, place.store) or _runs(a, b, store) or _results(a, b, store)
    if as_json:
        print(json.dumps(_document(difference), indent=1))
    else:
        print("\n".join(_lines(difference)))


def _weights(a: str, b: str, store: str) -> WeightDifference | None:
    if not any(Path(side).expanduser().is_file() for side in (a, b)):
        return None
    from experiments.framework.detectors import find_weights
    from experiments.framework.differences.weights import compare_weights
    from pipeline.errors import PipelineError

    if not b:
        raise PipelineError(f"{a} is a file of weights: name a second one, or a training")
    return compare_weights(find_weights(a, store=store), find_weights(b, store=store), (a, b))


def _runs(a: str, b: str, store: Store) -> Difference | None:
    from experiments.framework.differences.results import compare_runs
    from pipeline.store.runs import find_run, run_ids

    names = run_ids(store)
    if not all(side and any(name.startswith(side) for name in names) for side in (a, b)):
        return None
    return compare_runs(store, find_run(store, a), find_run(store, b))


def _results(a: str, b: str, store: Store) -> Difference:
    from experiments.framework.differences.results import compare_results
    from pipeline.errors import PipelineError

    after = _result(b or a, store)
    if b:
        return compare_results(store, _result(a, store), after)
    earlier = [each for each in store.manifests() if each.address == after.address and each.finished < after.finished]
    if not earlier:
        raise PipelineError(f"the store has one result of {after.address}: name a second result to compare with")
    return compare_results(store, earlier[-1], after)


def _result(named: str, store: Store) -> Manifest:
    """A result by address or key, or the table of an experiment by its name."""
    from pipeline.store.lookup import find_result

    tables = {each.address for each in store.manifests()} & {f"table/{named}"}
    return find_result(store, tables.pop() if tables else named)


def _document(difference: Difference | WeightDifference) -> dict[str, object]:
    document = asdict(difference)
    for number in document.get("numbers", ()):
        number["difference"] = number["after"] - number["before"]
    return document


def _lines(difference: Difference | WeightDifference) -> Iterable[str]:
    from experiments.framework.differences.weights import WeightDifference

    yield f"before  {difference.before}"
    yield f"after   {difference.after}"
    yield from _section("settings", (_setting(change) for change in difference.settings))
    if isinstance(difference, WeightDifference):
        yield from _section("tensors", _tensors(difference))
        return
    yield from _section("functions", difference.functions)
    yield from _section("data", difference.data)
    yield from _section("environment", map(str, difference.environment))
    yield from _section("stages", difference.stages, silent=True)
    yield from _section("numbers", _numbers(difference.numbers))


def _section(title: str, lines: Iterable[str], *, silent: bool = False) -> Iterable[str]:
    from experiments.cli.shared.printing import wrapped
    from pipeline.terminal import visible

    shown = [wrapped(visible(line), "  ") for line in lines]
    if shown or not silent:
        yield f"\n{title}" if shown else f"\n{title}: the same"
    yield from shown


def _setting(change: object) -> str:
    count = len(getattr(change, "stages", ()))
    return f"{change} ({count} stages)" if count > 1 else str(change)


def _numbers(numbers: tuple[NumberChange, ...]) -> Iterable[str]:
    main = [number for number in numbers if number.interval]
    others = sorted((number for number in numbers if not number.interval), key=lambda each: -abs(each.difference))
    shown = (main + others)[: max(MOST, len(main))]
    yield from map(_number, shown)
    if hidden := len(numbers) - len(shown):
        yield f"and {hidden} more, see --json"


def _number(number: NumberChange) -> str:
    text = f"{number.name}: {number.before:.6g} → {number.after:.6g} ({number.difference:+.4g}"
    if number.interval:
        low, high = number.interval
        text += f", 95 % interval {low:+.4g} to {high:+.4g}"
    return f"{text})"


def _tensors(difference: WeightDifference) -> Iterable[str]:
    changed = sorted(difference.tensors, key=lambda each: (not each.shapes, -(each.relative or 0)))
    for tensor in changed[:MOST]:
        moved = f"largest difference {tensor.largest:.3g}" if tensor.largest is not None else ""
        share = f", {tensor.relative:.3g} of its norm" if tensor.relative is not None else ""
        yield f"{tensor.name}: {tensor.shapes or moved + share}"
    if hidden := len(changed) - MOST if len(changed) > MOST else 0:
        yield f"and {hidden} more, see --json"
    if changed:
        yield f"{difference.equal} are equal"
