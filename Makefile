# Two commands for a fresh machine: `make demo` and `make test`. Both set up a virtual environment first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
NODES ?= alder,birch
SUITE ?= bookworm
SIZE ?= 100MB
ROUNDS ?= 5
SAMPLE ?= samples/01-partition-fenced/partition-fence-ok.tar.bz2

.PHONY: demo test lint setup samples bench lab clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hadiag needs Python 3.11 or newer: make PYTHON=python3.11 demo")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

demo: setup
	$(BIN)/hadiag analyze $(SAMPLE) -o demo.hadiag.html

test: setup
	$(BIN)/python -m pytest -q -n auto

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

samples: setup
	$(BIN)/python -m tests.golden.scoreboard

# Ratios against ripgrep, lnav, crmsh and others, on data that it generates; `python -m tests.bench --help` for the rest.
bench: setup
	$(BIN)/python -m tests.bench --size $(SIZE) --rounds $(ROUNDS)

# A real cluster of two nodes in namespaces (as root, on Debian, with debootstrap); CONTRIBUTING.md says what to do with it.
lab: setup
	$(BIN)/python -m tests.lab up --nodes $(NODES) --suite $(SUITE)
	$(BIN)/python -m tests.lab status

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache *.hadiag.html
