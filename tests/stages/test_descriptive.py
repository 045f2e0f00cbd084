"""No stage computes by what only describes it: the code of such methods is in no key (`pipeline.stage.DESCRIPTIVE`)."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from textwrap import dedent
from typing import Any

import pytest

import experiments
import stages
from pipeline.stage import DESCRIPTIVE, Context, Stage


def stage_classes() -> list[type[Stage]]:
    """All of the project, whether an experiment uses them or not."""
    for package in (stages, experiments):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    ours = (kind for kind in _below(Stage) if kind.__module__.partition(".")[0] in ("stages", "experiments"))
    return sorted(set(ours), key=lambda kind: f"{kind.__module__}.{kind.__qualname__}")


def _below(kind: type[Any]) -> Iterator[type[Stage]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)


@dataclass(frozen=True)
class Reading:
    """A function, and the name that the stage has in it: `self`, `stage`, `self.stage`."""

    function: Callable[..., Any]
    name: str


def described_by(kind: type[Stage]) -> list[str]:
    """Where `run`, and all that it hands the stage to, reads a method of DESCRIPTIVE."""
    waiting, seen, found = [Reading(kind.run, "self")], set(), []
    while waiting:
        reading = waiting.pop()
        if reading in seen:
            continue
        seen.add(reading)
        tree = ast.parse(dedent(inspect.getsource(reading.function)))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith(f"{reading.name}."):
                if node.attr in DESCRIPTIVE:
                    found.append(f"{reading.function.__qualname__} reads {ast.unparse(node)}")
                waiting += _own_method(kind, node, reading)
            elif isinstance(node, ast.Call):
                waiting += _handed_on(node, reading)
    return found


def _own_method(kind: type[Stage], node: ast.Attribute, reading: Reading) -> Iterator[Reading]:
    member = inspect.getattr_static(kind, node.attr, None)
    member = getattr(member, "fget", getattr(member, "func", member))  # of a property, of a cached one
    if ast.unparse(node.value) == reading.name and inspect.isfunction(member):
        yield Reading(member, next(iter(inspect.signature(member).parameters)))


def _handed_on(call: ast.Call, reading: Reading) -> Iterator[Reading]:
    """What is called with the stage as an argument: a function, or a class of which all methods may read it."""
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    called = _named(call.func, reading.function)
    if not any(ast.unparse(value) == reading.name for value in values) or not _is_ours(called):
        return
    named = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    arguments = inspect.signature(called).bind_partial(*call.args, **named).arguments
    for name in (name for name, value in arguments.items() if ast.unparse(value) == reading.name):
        if inspect.isclass(called):
            yield from (Reading(member, f"self.{name}") for member in vars(called).values() if _is_ours(member))
        else:
            yield Reading(called, name)


def _is_ours(called: Any) -> bool:
    """Written in the project, not made by `dataclass`."""
    if not (inspect.isfunction(called) or inspect.isclass(called)):
        return False
    own_file = inspect.isclass(called) or inspect.unwrap(called).__code__.co_filename.endswith(".py")
    return own_file and called.__module__.partition(".")[0] in ("stages", "ssd_core")


def _named(expression: ast.expr, function: Callable[..., Any]) -> Any:
    """What a name or a dotted name means inside a function, also when it is imported there."""
    if isinstance(expression, ast.Attribute):
        return getattr(_named(expression.value, function), expression.attr, None)
    if not isinstance(expression, ast.Name):
        return None
    for node in ast.walk(ast.parse(dedent(inspect.getsource(function)))):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if expression.id == (alias.asname or alias.name):
                    return getattr(import_module(node.module or ""), alias.name, None)
    return function.__globals__.get(expression.id)


@pytest.mark.parametrize("kind", stage_classes(), ids=lambda kind: kind.__name__)
def test_what_a_stage_computes_does_not_depend_on_what_only_describes_it(kind: type[Stage]) -> None:
    assert described_by(kind) == []


class Helped(Stage):
    def run(self, ctx: Context) -> None:
        self.help()
        hand(ctx, here=self)
        Holder(self).work()

    def help(self) -> int:
        return len(self.data_sets())


@dataclass(frozen=True)
class Holder:
    stage: Stage

    def work(self) -> object:
        return self.stage.parameters()["x"]


def hand(ctx: Context, here: Stage) -> None:
    ctx.map(abs, [], resources=here.resources)


def test_this_test_sees_methods_functions_and_objects_that_a_stage_is_handed_to(monkeypatch) -> None:
    for member in (hand, Holder, Holder.work):
        monkeypatch.setattr(member, "__module__", "stages.toy")
    assert sorted(described_by(Helped)) == [
        "Helped.help reads self.data_sets",
        "Holder.work reads self.stage.parameters",
        "hand reads here.resources",
    ]
