"""Columns on a terminal of 80 columns, and without a terminal."""

from __future__ import annotations

import pytest

from experiments.cli.shared.printing import columns, wrapped

ROWS = [("stage", "reason"), ("train/" + "a" * 40, "after shard/drawn-train and " + "many others " * 4), ("b", "c")]


def test_cells_that_do_not_fit_the_terminal_continue_below_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = columns(ROWS).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) == 5
    assert lines[2].startswith(" " * 48)
    assert " ".join(word for line in lines[1:4] for word in line.split()) == " ".join(" ".join(ROWS[1]).split())


def test_a_word_is_never_broken_even_where_it_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    assert "train/" + "a" * 40 in columns(ROWS)


def test_long_words_of_the_last_column_break_where_the_table_does_not_fit_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    kept, heldout = "shard/cells-boxes-kept-0.2-seed0", "shard/cells-boxes-heldout-0.2-seed0"
    rows = [("stage", "state", "time", "reason"), (heldout, "after", "~0:00", f"after {kept} and 2 more")]
    lines = columns(rows).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith(heldout)
    assert kept in "".join(line[len(heldout) :].split("~0:00")[-1].strip() for line in lines)


def test_a_file_gets_one_line_for_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert len(columns(ROWS).splitlines()) == 3


def test_a_text_continues_below_its_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    assert wrapped("one two three four five six", "head: ") == "head: one two three four five\n      six"
