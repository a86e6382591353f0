# The commands of holdfast. `make help` lists them.
# Everything runs in .venv, made from the hashed files in requirements/.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.holdfast-ready
LOCKS := requirements/base.txt requirements/dev.txt

export PYTHONUTF8 = 1

.DEFAULT_GOAL := help
.PHONY: help setup lock demo test check chaos bench docs clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## make .venv from the locked requirements; does nothing when up to date

# uv is brought by pip when it is not on the machine, so that Python with its venv module is enough.
$(STAMP): $(LOCKS) pyproject.toml requirements/uv.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "holdfast needs Python 3.11 or newer: make setup PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements/dev.txt requirements/uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

lock: ## resolve requirements/*.txt anew, with hashes and without an index address
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --output-file requirements/base.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --group dev --constraint requirements/base.txt --output-file requirements/dev.txt pyproject.toml
	echo "uv>=0.13.9" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --output-file requirements/uv.txt -

demo: setup ## the whole story on an embedded sandbox tenant, in under a minute
	@$(BIN)/holdfast demo

# A process per core, a file in one process: two files never share a store or a sandbox.
test: setup ## all tests
	$(BIN)/python -m pytest -n auto --dist loadfile

check: setup ## format, lint, types, import contracts, unit and docs tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q -n auto --dist loadfile tests/unit tests/docs -m "not slow"

chaos: setup ## kills, lost answers and clocks that disagree; prints its seed when it fails
	HOLDFAST_CHAOS_SAGAS=0 $(BIN)/python -m pytest -q tests/e2e/test_migrate_contoso.py
	HOLDFAST_CHAOS_SCANS=$${HOLDFAST_CHAOS_SCANS:-200} $(BIN)/python -m pytest -q -s tests/chaos/test_scan_goes_on.py
	HOLDFAST_CHAOS_MOVES=$${HOLDFAST_CHAOS_MOVES:-0} $(BIN)/python -m pytest -q -s tests/chaos/test_migration.py
	HOLDFAST_CHAOS_KILLS=$${HOLDFAST_CHAOS_KILLS:-100} $(BIN)/python -m pytest -q tests/chaos
	$(BIN)/python -m tests.chaos.matrix
	$(BIN)/python -m tests.chaos.rotations
	$(BIN)/python -m tests.chaos.decade
	$(BIN)/python -m tests.chaos.keeping

bench: setup ## the benchmarks; figures and ratios, no verdicts
	$(BIN)/python -m bench

docs: setup ## the pages under docs/ that are made from the code
	$(BIN)/python -m tools.docs

clean: ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
