# Two commands on a fresh machine with Python and make: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run demo test lint types golden bench soak clean

run: $(VENV)/.installed
	@$(BIN)/ketapress publish

# A live demonstration on this machine alone, with a page that shows the mail as it arrives. Ctrl-C ends it.
demo: $(VENV)/.installed-dev
	@$(BIN)/python docs/demo/demo.py

test: $(VENV)/.installed-dev
	@echo "Running the tests: about five minutes on two cores."
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

golden: $(VENV)/.installed-dev
	KETAPRESS_GOLDEN=refresh $(BIN)/python -m pytest -n auto --dist loadfile
	@git diff --stat -- tests

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/build/run.py --sizes 100 1000 --rounds 3
	$(BIN)/python benchmarks/deliver/run.py --messages 3000 --rounds 3

# Long sweeps that must never fail; none of them is timed.
soak: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/soak/posts.py --files 100000 --processes 2
	$(BIN)/python benchmarks/calendar/ten_years.py --processes 2
	$(BIN)/python benchmarks/soak/kills.py --kills 600
	$(BIN)/python benchmarks/soak/sleepers.py --rounds 5
	KETAPRESS_SOAK=1 $(BIN)/python -m pytest tests/daemon/test_crashes.py tests/daemon/test_many_schedulers.py tests/store/test_conservation.py

clean:
	rm -rf $(VENV) public .ketapress ketapress.db* outbox/*/ outbox/.generation.json outbox/.sent.jsonl

$(VENV)/bin/python:
	@echo "Setting up $(VENV), once: about a minute."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ketapress needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Name one: make PYTHON=python3.12 run")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@$(PIP) install --editable .
# Installers compile, too: with PYTHONDONTWRITEBYTECODE set, every start would compile eighty modules again.
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) install --editable ".[dev]"
	@touch $@
