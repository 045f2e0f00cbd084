"""`ssdpipe recipe`."""

from __future__ import annotations

from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.framework.names import RECIPES
from pipeline.errors import PipelineError


def printed(*arguments: str) -> list[str]:
    done = CliRunner().invoke(app, ["recipe", *arguments])
    assert done.exit_code == 0
    return done.stdout.splitlines()


def test_every_recipe_is_listed() -> None:
    assert [line.split()[0] for line in printed("list")] == list(RECIPES)


def test_the_paper_s_recipe_has_no_departure() -> None:
    lines = printed("show", "ssd300-voc0712")
    assert "  schedule.drops = 40000,50000" in lines
    assert not [line for line in lines if line.startswith("*")]


def test_departures_are_marked() -> None:
    starred = [line for line in printed("show", "ssd300-expand-voc0712") if line.startswith("*")]
    assert starred == [
        "* augmentation.expand = True  (SSD300: False)",
        "* schedule.iterations = 120000  (SSD300: 60000)",
        "* schedule.drops = 80000,100000  (SSD300: 40000,50000)",
    ]


def test_settings_are_shown_as_s_changes_them_and_a_wrong_one_is_refused() -> None:
    changed = ("-s", "ema_decay=0.999", "-s", "schedule.curve=cosine", "-s", "limits.flip=true")
    starred = [line for line in printed("show", "ssd300-voc0712", *changed) if line.startswith("*")]
    assert starred == [
        "* schedule.curve = cosine  (SSD300: steps)",
        "* ema_decay = 0.999  (SSD300: 0)",
        "* limits.flip = True  (SSD300: False)",
    ]
    refused = CliRunner().invoke(app, ["recipe", "show", "ssd300-voc0712", "-s", "ema_decoy=1"])
    assert isinstance(refused.exception, PipelineError)


def test_another_network_is_shown_layer_by_layer() -> None:
    ssd512 = printed("show", "ssd512-voc0712")
    assert "* spec.sources.conv4_3.scales.0.size = 35.84  (SSD300: 30)" in ssd512
    assert "* spec.extras.conv12_2.kernel = 4  (SSD300: none)" in ssd512
    assert "  spec.sources.conv8_2.step = 32" in ssd512
    full = printed("show", "ssd300-full-vgg-voc0712")
    assert "* spec.sources.conv7.step = 32  (SSD300: 16)" in full
    assert "* spec.sources.conv11_2.step = none  (SSD300: 300)" in full
    assert "# initial weights: weights/imagenet-vgg16-full" in full


def test_a_recipe_is_drawn_in_the_format_of_the_file_s_suffix(tmp_path) -> None:
    assert printed("draw", "ssd300-voc0712", "--out", str(tmp_path / "a.svg")) == [
        f"{tmp_path / 'a.svg'}: 6 maps, 8732 boxes"
    ]
    assert "<svg" in (tmp_path / "a.svg").read_text()
    refused = CliRunner().invoke(app, ["recipe", "draw", "ssd-tiny", "--out", str(tmp_path / "a.jpg")])
    assert isinstance(refused.exception, PipelineError)
    assert "must end in .svg or .png" in str(refused.exception)
