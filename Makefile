# Two targets set everything up on a machine with Python 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check coverage architecture bench clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## */\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(INSTALLED)  ## the paper's layer ablation on images that the project draws itself
	$(BIN)/ssdpipe run ablation-layers --preset tiny --column yes

test: check  ## style, types, imports, and all tests that take seconds
	$(BIN)/pytest -m "not slow"

test-slow: $(INSTALLED)  ## tests that take minutes: whole commands, kills, trainings
	$(BIN)/pytest -m slow

check: $(INSTALLED)  ## style, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

coverage: $(INSTALLED)  ## the quick tests, and which lines they do not reach
	$(BIN)/pytest -m "not slow" --cov

architecture: $(INSTALLED)  ## docs/architecture.md and its drawing, from the code
	$(BIN)/python -W ignore -m tools.architecture

bench: $(INSTALLED)  ## measure side by side; prints what it ran on
	$(BIN)/python benchmarks/input_pipeline.py
	$(BIN)/python benchmarks/scheduler_overhead.py
	$(BIN)/python benchmarks/planning.py

clean:  ## remove the environment and all caches; results in ssdpipe-store stay
	rm -rf $(VENV) build *.egg-info .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@
