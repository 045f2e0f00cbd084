"""`ssdpipe report`, and the page that `run` leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.cli.report import refresh
from experiments.cli.requests import ExperimentRequest
from pipeline.store.store import Store

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Begun

EXPERIMENT = ("ablation-layers", "--preset", "tiny", "--column", "yes")


def test_the_page_stands_in_the_store_and_its_path_is_printed(begun: Begun) -> None:
    done = begun.ssdpipe("report", *EXPERIMENT)
    assert done.exit_code == 0
    paths = [begun.store / f"reports/ablation-layers-tiny.{suffix}" for suffix in ("html", "csv", "tex")]
    assert done.stdout.split() == [str(path) for path in paths]
    assert "0 of 6 rows run" in paths[0].read_text()


def test_the_page_is_put_where_one_asks_for_it(begun: Begun) -> None:
    place = begun.store.parent / "elsewhere/mine.html"
    assert begun.ssdpipe("report", *EXPERIMENT, "--out", str(place)).exit_code == 0
    assert sorted(path.name for path in place.parent.iterdir()) == ["mine.csv", "mine.html", "mine.tex"]
    assert not (begun.store / "reports").exists()


def test_images_of_ones_own_are_told_above_the_numbers(begun: Begun) -> None:
    begun.ssdpipe("report", *EXPERIMENT, "--data", str(begun.data))
    begun.ssdpipe("report", *EXPERIMENT)
    drawn, told = ((begun.store / f"reports/ablation-layers-tiny{name}.html").read_text() for name in ("", "-cats"))
    assert "Trained and tested on" not in drawn
    assert told.index(f"Trained and tested on {begun.data}") < told.index("<table")
    assert "/test, 1 images, 1 objects, digest " in told  # the shards that the store has


def test_a_last_run_that_was_no_experiment_has_no_report(begun: Begun) -> None:
    done = begun.ssdpipe("report")
    assert done.exit_code != 0
    assert "has no report" in str(done.exception)


def test_a_page_is_written_anew_only_when_results_have_changed(begun: Begun) -> None:
    store = Store.open(str(begun.store))
    request = ExperimentRequest(experiment="ablation-layers", preset="tiny", column="yes", data=str(begun.data))
    page = begun.store / "reports/ablation-layers-tiny-cats.html"
    assert refresh(request, store) == str(page)
    page.write_text(page.read_text() + "left alone")
    refresh(request, store)
    assert page.read_text().endswith("left alone")
    for manifest in (begun.store / "keys").glob("*.json"):
        manifest.unlink()
    refresh(request, store)
    assert not page.read_text().endswith("left alone")
