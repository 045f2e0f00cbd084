"""Manifests for KubeRay against the schemas of its operator (`SSDPIPE_TEST_DATA`) and the pinned versions."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = {"RayCluster": "raycluster.yaml", "RayJob": "rayjob.yaml"}


def manifest(kind: str) -> dict[str, Any]:
    content = yaml.safe_load((ROOT / "deploy/kuberay" / MANIFESTS[kind]).read_text())
    assert content["kind"] == kind
    return content


def strict(schema: Any) -> Any:
    """The schema as Kubernetes applies it with `--validate=strict`: a field that it does not name is an error."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    closed = isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields")
    rest = {name: strict(value) for name, value in schema.items()}
    return {"additionalProperties": False, **rest} if closed and "type" in schema else rest


def schema_of(kind: str, folder: Path) -> Any:
    definition = yaml.load((folder / f"ray.io_{kind.lower()}s.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    (version,) = (item for item in definition["spec"]["versions"] if item["name"] == "v1")
    whole = strict(version["schema"]["openAPIV3Schema"])
    whole["properties"]["metadata"] = {"type": "object"}  # Kubernetes' own
    return whole


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_manifest_satisfies_the_schema_of_the_operator(kind: str, real_data: Callable[[str], Path]) -> None:
    schema, content = schema_of(kind, real_data("kuberay")), manifest(kind)
    jsonschema.validate(content, schema)
    content["spec"]["rayVersoin"] = "2.60.0"
    with pytest.raises(jsonschema.ValidationError, match="rayVersoin"):
        jsonschema.validate(content, schema)


def test_the_cluster_of_a_job_is_the_standing_cluster() -> None:
    assert manifest("RayJob")["spec"]["rayClusterSpec"] == manifest("RayCluster")["spec"]


def test_the_operator_is_given_the_pinned_version_of_ray() -> None:
    pinned = re.search(r"^ray==(.+)$", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE)
    assert manifest("RayCluster")["spec"]["rayVersion"] == pinned[1]


def test_all_pods_have_the_same_image_store_and_secrets_so_that_they_run_one_code_on_one_store() -> None:
    spec = manifest("RayCluster")["spec"]
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    containers = [group["template"]["spec"]["containers"][0] for group in groups]
    assert len(containers) == 2
    for name in ("image", "env", "envFrom", "volumeMounts"):
        assert containers[0][name] == containers[1][name], name


def test_a_token_guards_the_cluster() -> None:
    assert manifest("RayCluster")["spec"]["authOptions"] == {"mode": "token"}
