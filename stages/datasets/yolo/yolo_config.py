"""Classes and splits of a data set in YOLO layout, from its YAML or, without one, from a file of names and the folders.

The YAML names for each split a folder of images, a list of image files, or several of these. It was often written on
another machine: of `path` and of absolute paths, the end is used that exists below the data set's folder.

Tested in tests/stages/datasets/yolo/test_yolo_folder.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from stages.datasets.reading import values
from stages.datasets.reading.names import normalised
from stages.datasets.reading.text import decode_text
from stages.datasets.source import file_names
from stages.datasets.yolo.yolo_folders import NAMES_FILES, splits_of_folders
from stages.datasets.yolo.yolo_labels import LabelFormat
from stages.datasets.yolo.yolo_names import listed_names, names_of

SPLITS = ("train", "val", "valid", "validation", "test")
READ = {*SPLITS, "path", "names", "nc", "kpt_shape"}
IRRELEVANT = {"download", "roboflow", "flip_idx", "kpt_names", "author", "license", "version", "description", "url"}
"""Keys of the YAML that have no bearing on boxes."""

LONGEST_NAME, LONGEST_PATH = 255, 1000
"""Largest number of bytes in the name of a file, and of characters in a path."""

USUAL_FILES = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")


@dataclass(frozen=True, kw_only=True)
class YoloSet:
    """A data set in YOLO layout."""

    file: str
    """The YAML or the file of names, as a path inside the folder."""

    form: LabelFormat
    splits: Mapping[str, Sequence[str]]
    """Folders and lists of images of each split, as paths inside the folder."""

    absent: Mapping[str, str] = field(default_factory=dict)
    """What the YAML names for the splits that do not exist."""

    notes: Sequence[str] = ()
    """What is not read, or differs from what the YAML states."""


def find_yolo(folder: Folder) -> YoloSet | None:
    """The data set in a folder; None when there is none. Raises PipelineError when its YAML or names are invalid."""
    loaded = {name: _load(folder, name) for name in file_names(folder) if name.endswith((".yaml", ".yml"))}
    files = [name for name, content in loaded.items() if {*SPLITS} & {*content} and {"names", "nc"} & {*content}]
    usual = [name for name in USUAL_FILES if name in files]
    if len(files) > 1 and not usual:
        raise PipelineError(
            f"{folder.uri} has several YAML files of a data set: {', '.join(files)}; keep one, or call it data.yaml"
        )
    if file := next(iter(usual or files), ""):
        return _from_yaml(folder, file, loaded[file])
    if (file := next((name for name in NAMES_FILES if folder.is_file(name)), "")) and (
        found := splits_of_folders(folder)
    ):
        return YoloSet(file=file, form=LabelFormat(names=listed_names(folder, file)), splits=found)
    return None


def _load(folder: Folder, file: str) -> dict[str, Any]:
    """The mapping in a YAML file; empty when it holds something else."""
    try:
        content = yaml.safe_load(decode_text(folder.read_bytes(file), f"{folder.uri}/{file}"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PipelineError(f"{folder.uri}/{file} is no valid YAML: {error}") from error
    return content if isinstance(content, dict) else {}


def _from_yaml(folder: Folder, file: str, content: Mapping[str, Any]) -> YoloSet:
    place = f"{folder.uri}/{file}"
    try:
        root = "" if values.is_absent(content.get("path")) else _paths([content["path"]], "path")[0]
        form = LabelFormat(names=names_of(content), keypoints=_keypoints(content.get("kpt_shape")))
        wanted = {split: _paths(content[split], split) for split in SPLITS if content.get(split)}
    except ValueError as error:
        raise PipelineError(f"{place}: {error}") from error
    found = {split: [_below(folder, root, path) for path in paths] for split, paths in wanted.items()}
    splits = {
        split: [path for path in paths if path is not None] for split, paths in found.items() if None not in paths
    }
    absent = {split: ", ".join(paths) for split, paths in wanted.items() if split not in splits}
    if not splits:
        looked = "; ".join(f"{split}: {paths}" for split, paths in absent.items())
        raise PipelineError(
            f"{place}: none of its splits exists below {folder.uri}{_under(root)}: {looked}. Copy the YAML into the "
            "folder that holds them, and name that folder"
        )
    notes = [f"key {key}" for key in content if key not in READ | IRRELEVANT]
    notes += [f"{split}: {paths} does not exist{_under(root)}" for split, paths in absent.items()]
    notes += _moved(folder, root, wanted)
    return YoloSet(file=file, form=form, splits=splits, absent=absent, notes=notes)


def _keypoints(shape: Any) -> int:
    """Number of values of the keypoints, from their `kpt_shape`: how many, and 2 or 3 values for each."""
    if shape is None:
        return 0
    if not isinstance(shape, list) or len(shape) != 2 or not all(isinstance(side, int) for side in shape):
        raise ValueError(f"kpt_shape is {values.shown(shape)}: write the number of keypoints, and 2 or 3")
    return int(shape[0] * shape[1])


def _paths(given: Any, key: str) -> list[str]:
    """The path or paths of a key. Raises ValueError for one that no file can have."""
    paths = [values.name(each, key) for each in (given if isinstance(given, list) else [given])]
    if odd := [path for path in paths if not _is_path(path)]:
        raise ValueError(f"{key} is {values.shown(odd[0])}, which is no path")
    return paths


def _is_path(text: str) -> bool:
    return text.isprintable() and len(text) <= LONGEST_PATH and max(map(_length, text.split("/"))) <= LONGEST_NAME


def _length(name: str) -> int:
    return len(name.encode())


def _below(folder: Folder, root: str, path: str) -> str | None:
    """The folder or list that a YAML means, as a path inside the data set's folder; None when there is none."""
    return next((each for each in _candidates(root, path) if not each or folder.exists(each)), None)


def _candidates(root: str, path: str) -> Iterator[str]:
    """Paths below the data set that may be meant, the longest first."""
    inner = normalised(path)
    if _is_absolute(path):
        parts = inner.split("/")
        for start in range(len(parts)):
            if (end := "/".join(parts[start:])) != "images":  # alone it may belong to another split
                yield end
        return
    above = [part for part in normalised(root).split("/") if part]
    for start in range(len(above) + 1):
        yield "/".join(part for part in (*above[start:], inner) if part)


def _is_absolute(path: str) -> bool:
    return bool(re.match(r"\s*([/\\]|[A-Za-z]:)", path))


def _moved(folder: Folder, root: str, wanted: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Notes about absolute paths that do not begin with the data set's folder."""
    here = folder.path.rstrip("/")
    stated = {"path": [root], **wanted}
    for key, paths in stated.items():
        for path in paths:
            if _is_absolute(path) and not f"/{normalised(path)}/".startswith(f"{here}/"):
                yield f"{key}: {path} lies elsewhere; read below the data set's folder"


def _under(root: str) -> str:
    return f" (path: {root})" if root else ""
