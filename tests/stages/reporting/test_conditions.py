"""Conditions of results, from their manifests."""

from __future__ import annotations

from dataclasses import replace

from pipeline.keys.fingerprint import Ingredients
from pipeline.store.store import Manifest
from stages.reporting.conditions import conditions

MACHINE = {
    "host": "a",
    "processor": "EPYC",
    "cpus": 16,
    "gpus": ["H200", "H200"],
    "platform": "Linux",
    "python": "3.11",
}
FIRST = Manifest(
    key="k",
    address="train/a",
    variant="a",
    tags={},
    ingredients=Ingredients(stage="x"),
    settings={},
    inputs={},
    provenance={
        "machine": MACHINE,
        "git": {"commit": "0123456789abcdef", "dirty": True, "difference": "d1"},
        "libraries": {"torch": "2.15.0"},
        "argv": ["/bin/ssdpipe", "run", "a b"],
        "resources": {"cpus": 8, "gpus": 2, "nested": True},
    },
    seconds=1800,
    finished=1_700_000_000,  # 2023-11-14 22:13:20 UTC
)


def conditions_of(*manifests: Manifest) -> dict[str, tuple[str, ...]]:
    return dict(conditions(manifests))


def test_hours_count_the_gpus_and_cpus_that_a_stage_occupied() -> None:
    found = conditions_of(FIRST, replace(FIRST, seconds=3600))
    assert found["computing"] == ("3.00 GPU-hours and 12.00 CPU-hours, 1.50 hours of 2 stages",)


def test_results_without_recorded_resources_are_counted_separately() -> None:
    old = replace(FIRST, provenance={})
    assert conditions_of(FIRST, old)["computing"] == (
        "1.00 GPU-hours and 4.00 CPU-hours, 1.00 hours of 2 stages",
        "1 stages do not record their resources and count in the hours of stages only",
    )


def test_machines_commits_and_commands_are_listed_once_each() -> None:
    clean = replace(FIRST, provenance={**FIRST.provenance, "git": {"commit": "f" * 40, "dirty": False}})
    found = conditions_of(FIRST, FIRST, clean)
    assert found["machine"] == ("a, EPYC, 16 CPUs, 2 × H200, Linux",)
    assert found["commit"] == ("0123456789ab, with uncommitted changes (digest d1)", "ffffffffffff")
    assert found["commands"] == ("ssdpipe run 'a b'",)
    assert found["made"] == ("2023-11-14 22:13 to 2023-11-14 22:13 UTC",)


def test_all_versions_of_a_library_are_listed() -> None:
    other = replace(FIRST, provenance={**FIRST.provenance, "libraries": {"torch": "2.11.0"}})
    assert conditions_of(FIRST, other)["versions"] == ("Python 3.11, torch 2.15.0 and 2.11.0",)


def test_without_results_there_are_no_conditions() -> None:
    assert conditions_of() == {}
