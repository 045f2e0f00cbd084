# `make demo` and `make test` need only Python 3.11 and make; each target sets up the environment first.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
FUZZ_INPUTS ?= 100000
FUZZ_SEED ?= 0
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow cluster-test fuzz check coverage docs architecture chaos bench clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## */\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(INSTALLED)  ## run the paper's layer ablation on images that the project draws
	$(BIN)/ssdpipe run ablation-layers --preset tiny --column yes

test: check  ## check style, types and imports, and run all quick tests
	$(BIN)/pytest -m "not slow and not cluster"

test-slow: $(INSTALLED)  ## run the tests that take minutes: whole commands, kills, trainings
	$(BIN)/pytest -m slow

fuzz: $(INSTALLED)  ## feed 100,000 damaged files to every reader (FUZZ_INPUTS, FUZZ_SEED); guided by coverage with atheris
	-$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[fuzz]"
	OMP_NUM_THREADS=1 $(BIN)/python -W ignore -m tests.fuzz --inputs $(FUZZ_INPUTS) --seed $(FUZZ_SEED)

check: $(INSTALLED)  ## check style, types and imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

cluster-test: $(INSTALLED)  ## run the tests on three hosts in namespaces of Linux, as root
	$(BIN)/pytest -m cluster tests/cluster

coverage: $(INSTALLED)  ## run the quick tests and list the lines that they do not reach
	$(BIN)/pytest -m "not slow and not cluster" --cov

docs: $(INSTALLED)  ## build the documentation as a site in build/site; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

architecture: $(INSTALLED)  ## generate docs/architecture.md and its drawing from the code
	$(BIN)/python -W ignore -m tools.architecture

chaos: $(INSTALLED)  ## kill a real command at CHAOS_KILLS=30 seeded moments (CHAOS_SEED=0) and check what is left
	$(BIN)/python -m tools.chaos

bench: $(INSTALLED)  ## measure speed side by side with other programs, in benchmarks/results; renew README's table
	$(BIN)/python benchmarks/input_pipeline.py
	PYTHONPATH=. $(BIN)/python benchmarks/on_cpu.py
	$(BIN)/python benchmarks/readme_table.py

clean:  ## remove the environment and all caches; results in ssdpipe-store stay
	rm -rf $(VENV) build *.egg-info .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@
