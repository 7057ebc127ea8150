# Everything here works on a machine with Python 3.11 or newer, pip and make.
# The virtual environment is .venv; a change of pyproject.toml or constraints.txt brings it up to date.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input
DEMO ?= demo
WORKERS ?= 2
ARGS ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check format clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.package ## Real runs into a local store, into Parquet, onto the screen (DEMO=folder)
	@$(BIN)/runframe demo --dir "$(DEMO)"

test: $(VENV)/.test ## All tests, the docs and the notebooks among them (ARGS="-k export" for some)
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: $(VENV)/.check ## ruff, mypy --strict, a user's program under mypy and pyright, and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --config-file tests/typing/consumer/pyproject.toml tests/typing/consumer
	@$(BIN)/pyright --project tests/typing/consumer --pythonpath $(BIN)/python
	@$(BIN)/lint-imports

format: $(VENV)/.check ## Sort imports and lay out the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## Remove the virtual environment, the caches and the demo
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist demo

# Where Python comes without ensurepip (Debian's python3), the new environment gets its pip from the pip outside.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "runframe needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@echo "Making the virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
		$(PYTHON) -m venv --clear --without-pip $(VENV) && \
		$(PYTHON) -m pip --quiet --quiet --disable-pip-version-check --python $(BIN)/python install pip; }

$(VENV)/.package: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing runframe into $(VENV)"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.test: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing runframe and what its tests need into $(VENV)"
	@$(PIP) install -c constraints.txt -e ".[test]"
	@touch $@ $(VENV)/.package

$(VENV)/.check: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing runframe and what its checks need into $(VENV)"
	@$(PIP) install -c constraints.txt -e ".[test,check]"
	@touch $@ $(VENV)/.package $(VENV)/.test
