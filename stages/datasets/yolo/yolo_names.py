"""Class names of a data set in YOLO layout, by index: from its YAML, or from a text file.

Tested in tests/stages/datasets/yolo/test_yolo_folder.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from stages.datasets.reading import values
from stages.datasets.reading.text import decode_text


def names_of(content: Mapping[str, Any]) -> dict[int, str]:
    """Class names by index. Raises ValueError when they are absent, empty, repeated, or not as many as `nc`."""
    given = content.get("names")
    if not isinstance(given, list | dict) or not given:
        raise ValueError(
            f"names is {values.shown(given)}: list the names of the classes, in the order of their indices"
        )
    pairs = list(given.items()) if isinstance(given, dict) else list(enumerate(given))
    names = {_index(key): _name(key, name) for key, name in pairs}
    _refuse_repeated(list(names.values()))
    if content.get("nc") is not None and values.number(content["nc"], "nc") != len(names):
        raise ValueError(f"nc is {content['nc']}, but the number of names is {len(names)}")
    return names


def _name(key: Any, name: Any) -> str:
    if isinstance(name, bool):
        raise ValueError(f"name {key} is {name}, as YAML reads yes, no, on and off: put it in quotes")
    return values.name(name, f"name {key}")


def _index(key: Any) -> int:
    text = values.identifier(key, "an index of names")
    if not text.isdecimal():
        raise ValueError(f"names has the index {values.shown(key)}: indices are whole numbers from 0")
    return int(text)


def _refuse_repeated(names: Sequence[str]) -> None:
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"the name {twice[0]!r} stands for several classes")


def listed_names(folder: Folder, file: str) -> dict[int, str]:
    """Class names of a text file, one in each line; only the last lines may be blank."""
    place = f"{folder.uri}/{file}"
    names = [line.strip() for line in decode_text(folder.read_bytes(file), place).rstrip().splitlines()]
    if not names:
        raise PipelineError(f"{place}: holds no name of a class")
    try:
        _refuse_repeated(names)
        return {index: values.name(name, f"line {index + 1}") for index, name in enumerate(names)}
    except ValueError as error:
        raise PipelineError(f"{place}: {error}") from error
