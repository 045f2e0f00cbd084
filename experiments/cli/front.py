"""What `ssdpipe` prints without a command, and its list of commands in groups.

Tested in tests/experiments/cli/test_front.py.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import typer
from typer.core import TyperGroup

from pipeline.redaction import redacted

EXPERIMENTS = "Experiments"
DETECTORS = "Detectors"
FILES = "Data sets, weights and recipes"
RESULTS = "Runs and results"
MACHINE = "This machine"
OTHERS = "Other commands"
GROUPS = (EXPERIMENTS, DETECTORS, FILES, RESULTS, MACHINE, OTHERS)
"""Titles of groups in the order in which they are printed."""

FIRST_COMMANDS = (
    ("ssdpipe doctor", "is this machine ready?"),
    ("ssdpipe train ssd200-narrow --data DIR", "a detector on your own images"),
    ("ssdpipe run ablation-layers --preset tiny", "a table of the paper, in minutes"),
)

WRONG_USAGE: Any = typer.BadParameter.__base__
"""Superclass of all errors of parsing; typer does not export it."""


class Commands(TyperGroup):
    """Commands in groups. Messages about wrong usage do not repeat a secret that was typed."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except WRONG_USAGE as error:
            error.message = redacted(error.message)
            raise
        except KeyboardInterrupt:
            from pipeline.driver.failures import this_command
            from pipeline.errors import Interrupted

            raise Interrupted(f"stopped; the same command continues:\n  {this_command()}") from None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group."""
        width = max(map(len, self.commands))
        sections: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        for name in self.list_commands(ctx):
            command = self.commands[name]
            text = command.get_short_help_str(formatter.width - width - 6)
            sections[getattr(command, "rich_help_panel", None) or OTHERS].append((name.ljust(width), text))
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def front_page(context: typer.Context) -> str:
    """The page: what this is, the first commands, all commands in groups, and where to read on."""
    formatter = context.make_formatter()
    formatter.write("ssdpipe trains SSD detectors, scores them, and reproduces the paper's tables.\n")
    formatter.write("What is computed once is kept, and a command that was stopped resumes.\n\n")
    formatter.write("First commands:\n")
    width = max(len(command) for command, _ in FIRST_COMMANDS)
    for command, purpose in FIRST_COMMANDS:
        formatter.write(f"  {command:{width}}  {purpose}\n")
    assert isinstance(context.command, Commands)
    context.command.format_commands(context, formatter)
    formatter.write("\n`ssdpipe COMMAND --help` describes a command and its options;\n")
    formatter.write("`ssdpipe --install-completion` lets the Tab key complete names.\n")
    return str(formatter.getvalue())


def print_version(wanted: bool) -> None:
    """Callback of `--version`."""
    if wanted:
        try:
            print(f"ssdpipe {version('ssdpipe')}")
        except PackageNotFoundError:
            print("ssdpipe, not installed: this is its source")
        raise typer.Exit
