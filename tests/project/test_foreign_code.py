"""Nothing that a store, a shard, a weights file, MLflow or Ray names is executed, imported, or followed outside.

Whatever could do so is listed here with the reason why it does not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.project.test_tree import MODULES, ROOT

RISKY = re.compile(
    r"builtins\.(eval|exec|compile|__import__)"
    r"|importlib\.(import_module|reload|util\.\w+|machinery\.\w+)|runpy\..*|pkgutil\..*|zipimport\..*|code\..*"
    r"|subprocess\..*|pty\..*|os\.(exec\w+|system|popen|spawn\w+|posix_spawn\w*|fork\w*|startfile|symlink|link)"
    r"|multiprocessing\..*|ctypes\..*|cffi\..*"
    r"|(c?pickle|cPickle|dill|joblib|marshal|shelve|copyreg)\..*|(ray\.)?cloudpickle\..*"
    r"|torch\.(load|hub\..*|jit\.load|export\.load|package\..*)|numpy\.(load|lib\..*\.read_array|lib\.npyio\..*|fromregex)"
    r"|pandas\.read_\w+|yaml\..*|jinja2\.(Template|Environment)"
    r"|webbrowser\..*|urllib\.request\..*|requests\..*|http\.client\.HTTP\w*Connection|ftplib\..*|smtplib\..*"
    r"|socket\.(socket|create_connection)|shutil\.unpack_archive|xml\..*\.(fromstring|parse|iterparse|XML|XMLParser)"
    r"|mlflow\..*(load_model|download_artifacts).*"
    r"|pyarrow\.fs\.FileSystem\.from_uri"
)
"""Functions that execute, import, unpickle, fetch or follow what their argument names, by full name."""

METHODS = {"extractall", "symlink_to", "hardlink_to", "load_model", "download_artifacts", "loads", "read_pickle"}
"""Methods that do so, whatever the object."""

LOADERS = ("torch.load", "np.load", "npy.read_array")
HARMLESS = {"json.loads": "JSON holds values only"}

ALLOWED = {
    # executed or imported
    "experiments/cli/shared/encoding.py: os.execv": "this command again, with its own arguments",
    "experiments/cli/ui.py: os.execv": "MLflow's server; the store's path is the argument of an option, no shell",
    "experiments/framework/loading.py: importlib.import_module": "an experiment in this package, by a name in its list",
    "pipeline/keys/code_digest.py: importlib.util.find_spec": "where a package of a stage's own class lies",
    "pipeline/keys/public_api.py: importlib.util.find_spec": "where this project's package `ssdpipe` lies",
    "ssd_core/detection/fused.py: importlib.util.find_spec": "whether Triton is installed",
    "pipeline/planning/own_files.py: importlib.import_module": "the file that the user types, not one of a store",
    "pipeline/planning/own_names.py: importlib.machinery.ModuleSpec": "a type",
    "pipeline/planning/own_names.py: importlib.machinery.PathFinder": "looks whether a name is taken; imports nothing",
    "pipeline/ray_backend/node_survey.py: subprocess.SubprocessError": "a type",
    "pipeline/ray_backend/node_survey.py: subprocess.run": "this Python with fixed arguments, no shell",
    "pipeline/store/provenance.py: subprocess.SubprocessError": "a type",
    "pipeline/store/provenance.py: subprocess.run": "git and nvidia-smi with fixed arguments, no shell",
    "ssdpipe/__init__.py: importlib.import_module": "a module of this project, from a fixed table of names",
    "stages/evaluation/coco_tools.py: importlib.util.find_spec": "looks whether a package of a fixed name is installed",
    "stages/cost/past.py: importlib.import_module": "only modules of ssd_core, and of them only classes of settings",
    # unpickled
    "pipeline/ray_backend/executor.py: copyreg.pickle": "registers how a constant is written",
    "pipeline/ray_backend/executor.py: ray.cloudpickle.register_pickle_by_value": "the user's own module, when written",
    "pipeline/ray_backend/failures.py: ray.cloudpickle.dumps": "writes",
    "pipeline/ray_backend/failures.py: ray.cloudpickle.loads": "an exception from a worker of this job, whose code "
    "runs anyway; Ray transfers all results so, behind its token; never from a store",
    "ssd_core/weights/named_tensors.py: numpy.lib.format.read_array": "allow_pickle=False",
    "ssd_core/weights/tensor_file.py: torch.load": "weights_only=True, after the sizes in its header were checked",
    "stages/evaluation/outcomes.py: numpy.load": "allow_pickle=False",
    # fetched, parsed or followed
    "pipeline/mlflow_tracking/database.py: os.link": "a new file of the store under its final name; replaces nothing",
    "experiments/cli/doctor/services.py: urllib.request.urlopen": "MLFLOW_TRACKING_URI, which the user sets; the "
    "answer is not read",
    "pipeline/folder.py: pyarrow.fs.FileSystem.from_uri": "a place that the user types, or a recorded data set; "
    "files are read there, nothing is run",
    "pipeline/mlflow_tracking/model_files.py: mlflow.artifacts.download_artifacts": "a model that the user types, from "
    "the user's tracker; its weights are read as any file of weights",
    "pipeline/ray_backend/head_watch.py: socket.create_connection": "the session that this process has joined; sends "
    "nothing",
    "pipeline/ray_backend/reachable.py: socket.create_connection": "RAY_ADDRESS, which the user sets; sends nothing",
    "stages/datasets/fetch/http_file.py: urllib.request.HTTPRedirectHandler": "refuses to leave https",
    "stages/datasets/fetch/http_file.py: urllib.request.Request": "addresses of published data sets, fixed in the code",
    "stages/datasets/fetch/http_file.py: urllib.request.build_opener": "the same addresses",
    "stages/datasets/fetch/linking.py: symlink_to": "a folder that the user types",
    "stages/conversion/left_behind.py: xml.etree.ElementTree.fromstring": "no external entity is loaded, and "
    "only files are read that the reader has parsed before",
    "stages/conversion/yolo_writer.py: yaml.safe_dump": "writes",
    "stages/datasets/xml/voc_xml.py: xml.etree.ElementTree.fromstring": "external entities are never loaded, and "
    "expat limits what internal ones expand to",
    "stages/datasets/yolo/yolo_config.py: yaml.YAMLError": "a type",
    "stages/datasets/yolo/yolo_config.py: yaml.safe_load": "plain values only",
    "stages/export/runtimes.py: torch.export.load": "the file that this command has just written",
    "stages/export/runtimes.py: torch.jit.load": "the file that this command has just written",
    "stages/reporting/rendering.py: jinja2.Environment": "templates of this package only; values are escaped",
    "stages/training/torchvision_files.py: torch.hub.get_dir": "a path",
}
"""Uses in the project, each with why it is safe."""


def uses(source: str) -> Iterator[str]:
    """Full names of the risky functions, methods and types that a module mentions, called or not."""
    tree = ast.parse(source)
    names = dict(_imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            full = _full(node, names)
            if full in HARMLESS:
                continue
            if RISKY.fullmatch(full):
                yield full
            elif isinstance(node, ast.Attribute) and node.attr in METHODS:
                yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (name for name in (f"{node.module}.{item.name}" for item in node.names) if RISKY.fullmatch(name))


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (
                (item.asname, item.name) if item.asname else (item.name.partition(".")[0],) * 2 for item in node.names
            )
        elif isinstance(node, ast.ImportFrom):
            yield from ((item.asname or item.name, f"{node.module}.{item.name}") for item in node.names)


def _full(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, f"builtins.{node.id}")
    return f"{_full(node.value, names)}.{node.attr}" if isinstance(node, ast.Attribute) else "?"


def test_every_risky_use_is_known_and_has_its_reason() -> None:
    found = {f"{path}: {name}" for path in MODULES for name in uses((ROOT / path).read_text())}
    assert found - ALLOWED.keys() == set(), "add each with the reason why nothing foreign is executed or followed"
    assert ALLOWED.keys() - found == set(), "these are gone"


def test_torch_and_numpy_load_without_pickle() -> None:
    nodes = [node for path in MODULES for node in ast.walk(ast.parse((ROOT / path).read_text()))]
    calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) in LOADERS]
    options = [{item.arg: ast.unparse(item.value) for item in call.keywords} for call in calls]
    assert len(options) == 3
    assert all(each.get("weights_only") == "True" or each.get("allow_pickle") == "False" for each in options)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("eval('1')", "builtins.eval"),
        ("run = exec", "builtins.exec"),
        ("from subprocess import run as start\nstart('x')", "subprocess.run"),
        ("import os\nos.system('x')", "os.system"),
        ("import numpy as np\nnp.load('x')", "numpy.load"),
        ("import pickle as p\np.load(f)", "pickle.load"),
        ("import importlib.util\nimportlib.util.module_from_spec(s)", "importlib.util.module_from_spec"),
        ("import webbrowser\nwebbrowser.open(uri)", "webbrowser.open"),
        ("archive.extractall(folder)", "extractall"),
        ("from torch import load", "torch.load"),
        ("import urllib.request as web\nweb.urlopen(u)", "urllib.request.urlopen"),
        ("import json\njson.loads('1')", ""),
        ("import re\nre.compile('x')", ""),
    ],
)
def test_a_use_is_found_by_its_full_name(source: str, name: str) -> None:
    assert next(uses(source), "") == name
