"""Options shared by several commands, as dataclasses whose fields become typer options."""

from __future__ import annotations

import inspect
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from experiments.cli.shared.completion import DEFAULT_STORE, complete_stage
from pipeline.terminal import warn

StoreOption = Annotated[
    str,
    typer.Option(envvar="SSDPIPE_STORE", help="Folder or URI (s3://, gs://) that holds the results.", metavar="PLACE"),
]
StageArgument = Annotated[
    str,
    typer.Argument(
        help="Address such as train/all-six/seed0, or the first characters of a key.",
        show_default=False,
        autocompletion=complete_stage,
    ),
]
LayoutOption = Annotated[
    str,
    typer.Option(
        metavar="voc|coco|ilsvrc|csv|yolo", help="Layout of the data set; by default recognised from its folder."
    ),
]


NOT_TYPED = {"typed": False}
"""Metadata of a field of such a dataclass that is recorded but is no option."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def comma_separated(text: str) -> tuple[str, ...]:
    """Names from a comma-separated list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def one_of(what: str, *names: str) -> Callable[[str], str]:
    """Parser of an option with a fixed set of values. Raises PipelineError with the nearest name for any other."""

    def parse(text: str) -> str:
        from pipeline.errors import PipelineError
        from pipeline.suggestion import suggestion

        if text not in names:
            raise PipelineError(f"there is no {what} {text!r}; {suggestion(text, names)}")
        return text

    return parse


@dataclass(frozen=True, kw_only=True)
class StorePlace:
    """Options of commands that read the store."""

    store: StoreOption = DEFAULT_STORE


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options for running a graph; they change no result, but --strict-env makes keys depend on library versions."""

    store: StoreOption = DEFAULT_STORE
    cpus: Annotated[int | None, typer.Option(min=1, help="CPUs for the whole graph; all by default.")] = None
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going/--fail-fast",
            help="After a failure, continue with the stages that do not depend on it, or stop.",
        ),
    ] = True
    strict_env: Annotated[
        bool, typer.Option("--strict-env", help="Ignore results made with other library versions.")
    ] = False
    mlflow: Annotated[bool, typer.Option("--mlflow/--no-mlflow", help="Record the run in MLflow.")] = True


def expanded(command: Callable[..., None]) -> Callable[..., None]:
    """The command with each dataclass parameter replaced by the fields of that dataclass."""
    parameters = inspect.signature(command, eval_str=True).parameters.values()
    groups: dict[str, Any] = {each.name: each.annotation for each in parameters if is_dataclass(each.annotation)}
    flat: list[inspect.Parameter] = []
    for parameter in parameters:
        flat += _fields(parameter.annotation) if parameter.name in groups else [_keyword(parameter)]

    @wraps(command)
    def flattened(**given: Any) -> None:
        rebuilt = {
            name: kind(**{item.name: given.pop(item.name) for item in typed_fields(kind)})
            for name, kind in groups.items()
        }
        for place in (group.store for group in rebuilt.values() if hasattr(group, "store")):
            _warn_of_open(place)
        command(**given, **rebuilt)

    flattened.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined]
    flattened.__annotations__ = {parameter.name: parameter.annotation for parameter in flat}
    return flattened


def _warn_of_open(store: str) -> None:
    """Warn of a local store that every user of the machine may write to: results in it are trusted."""
    folder = Path(store.removeprefix("file://")).expanduser()
    with suppress(OSError):
        if "://" not in str(folder) and folder.stat().st_mode & stat.S_IWOTH:
            warn(f"every user of this machine may write to the store {store}: chmod o-w {store}")


def typed_fields(kind: Any) -> list[Field[Any]]:
    """The fields that are options."""
    return [item for item in fields(kind) if item.metadata.get("typed", True)]


def _fields(kind: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [_keyword(item, hints[item.name]) for item in typed_fields(kind)]


def _keyword(item: Field[Any] | inspect.Parameter, hint: Any = None) -> inspect.Parameter:
    if isinstance(item, inspect.Parameter):
        return item.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    default = inspect.Parameter.empty if item.default is MISSING else item.default
    return inspect.Parameter(item.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
