# Everything runs in the virtual environment .venv, which the first target that needs it creates and fills.
# Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.partonic-installed
WORKERS ?= 2
BENCH_OPTIONS ?= --quick

# One thread a process: the test workers and the simulation's own processes share the cores.
export OMP_NUM_THREADS ?= 1
export MPLBACKEND := Agg

.DEFAULT_GOAL := help
.PHONY: help install demo test lint format types docs bench clean

help:
	@echo "make demo     run the example analysis examples/tth_quick.yaml, from matrix element to report"
	@echo "make test     lint, types, documentation and tests"
	@echo "make lint     ruff and mypy only"
	@echo "make format   let ruff format the code, and rewrite the tables of the reference"
	@echo "make docs     build the documentation into docs/_build/html"
	@echo "make bench    run the benchmarks (BENCH_OPTIONS= for the full ones)"
	@echo "make clean    remove what was built, .venv included"

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "partonic needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)."; \
		echo "Name another interpreter: make <target> PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || { echo "Creating $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "Installing partonic and what it needs into $(VENV) (some minutes the first time) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input -c constraints.txt -e ".[all]"
	@touch $@

demo: $(STAMP)
	$(BIN)/partonic run examples/tth_quick.yaml

# one thread each, or the workers' threads fight for the cores
test: lint docs
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

lint: $(STAMP)
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

types: $(STAMP)
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/write_configuration.py
	$(BIN)/python docs/write_event_schema.py
	$(BIN)/python docs/write_command_line.py
	$(BIN)/python docs/write_branches.py

docs: $(STAMP)
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

# Four of them need simulated events, which they have to be given.
bench: $(STAMP)
	@for script in $(filter-out benchmarks/discriminant.py benchmarks/information.py benchmarks/sbi_tth.py benchmarks/sbi_stacking.py,$(wildcard benchmarks/*.py)); do $(BIN)/python $$script $(BENCH_OPTIONS) || exit 1; done

clean:
	rm -rf $(VENV) docs/_build build .pytest_cache .mypy_cache .ruff_cache
