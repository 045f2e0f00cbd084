"""README's table of measurements, made from the files in benchmarks/results: `python benchmarks/readme_table.py`.

readme_table.md is the table with a placeholder for each number: `{file | key | key : format}` names a file
without .json, the keys to the number, and how Python formats it.
"""

from __future__ import annotations

import json
import re
from functools import reduce
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
TEMPLATE = Path(__file__).with_suffix(".md")
README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- made by benchmarks/readme_table.py -->\n", "<!-- end of the table -->\n"

_PLACEHOLDER = re.compile(r"\{([^{}]+?) : ([^{}]+)\}")


def main() -> None:
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")


def renewed(readme: str) -> str:
    """Return README's text with the table of the measurements as they are now."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


def table(template: Path = TEMPLATE, results: Path = RESULTS) -> str:
    """Return the filled table. Raises KeyError for a measurement that its file lacks."""
    text = template.read_text(encoding="utf-8")
    return _PLACEHOLDER.sub(lambda match: format(measurement(results, match[1]), match[2]), text)


def measurement(results: Path, address: str) -> Any:
    """Return the number at `file | key | key`."""
    file, *keys = (part.strip() for part in address.split("|"))
    content = json.loads((results / f"{file}.json").read_text(encoding="utf-8"))
    try:
        return reduce(lambda value, key: value[key], keys, content)
    except (KeyError, TypeError) as error:
        raise KeyError(f"{file}.json has no {' | '.join(keys)}") from error


if __name__ == "__main__":
    main()
