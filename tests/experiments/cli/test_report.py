"""`ssdpipe report`, and the page that `run` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.cli.report import refresh
from experiments.cli.requests import ExperimentRequest
from pipeline.store.store import Store

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project

EXPERIMENT = ("ablation-layers", "--preset", "tiny", "--column", "yes")


def test_the_page_is_written_to_the_store_and_its_path_is_printed(project: Project) -> None:
    done = project.ssdpipe("report", *EXPERIMENT)
    assert done.exit_code == 0
    paths = [project.store / f"reports/ablation-layers-tiny.{suffix}" for suffix in ("html", "csv", "tex")]
    assert done.stdout.split() == [str(path) for path in paths]
    assert "0 of 6 rows run" in paths[0].read_text()


def test_the_page_is_written_to_the_requested_path(project: Project) -> None:
    place = project.store.parent / "elsewhere/mine.html"
    assert project.ssdpipe("report", *EXPERIMENT, "--out", str(place)).exit_code == 0
    assert sorted(path.name for path in place.parent.iterdir()) == ["mine.csv", "mine.html", "mine.tex"]
    assert not (project.store / "reports").exists()


def test_the_user_s_own_images_are_stated_above_the_numbers(project: Project) -> None:
    project.ssdpipe("report", *EXPERIMENT, "--data", str(project.data))
    project.ssdpipe("report", *EXPERIMENT)
    drawn, own = ((project.store / f"reports/ablation-layers-tiny{name}.html").read_text() for name in ("", "-cats"))
    assert "Trained and tested on" not in drawn
    assert own.index(f"Trained and tested on {project.data}") < own.index("<table")
    assert "/test, 1 images, 1 objects, digest " in own  # the shards that the store has


def test_a_last_run_that_is_no_experiment_has_no_report(project: Project) -> None:
    done = project.ssdpipe("report")
    assert done.exit_code != 0
    assert "has no report" in str(done.exception)


def test_a_page_is_rewritten_only_when_results_have_changed(project: Project) -> None:
    store = Store.open(str(project.store))
    request = ExperimentRequest(experiment="ablation-layers", preset="tiny", column="yes", data=str(project.data))
    page = project.store / "reports/ablation-layers-tiny-cats.html"
    assert refresh(request, store) == str(page)
    page.write_text(page.read_text() + "left alone")
    refresh(request, store)
    assert page.read_text().endswith("left alone")
    for manifest in (project.store / "keys").glob("*.json"):
        manifest.unlink()
    refresh(request, store)
    assert not page.read_text().endswith("left alone")
