# `make run` and `make test` need nothing beforehand but Python 3.11+: they make .venv, install the hashed lock into
# it and go; a second call starts at once. Another interpreter: `make test PYTHON=python3.12`.
# Works with GNU make 3.81 (macOS) and later.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
BIN    := $(VENV)/bin

# One stamp per lock and interpreter: with another PYTHON the stamp is missing, and the environment is made anew.
RUN_READY := $(VENV)/.base-$(subst /,-,$(PYTHON))
DEV_READY := $(VENV)/.dev-$(subst /,-,$(PYTHON))

PYTHON_FILES := app bullworks main.py hatch_build.py tests benchmarks requirements .ci

# Bull Board's own page, by npm: without npm our own pages serve /admin/queues.
UI_READY := bullworks/board/ui/dist/INTEGRITY

# The tests start hundreds of Pythons; without a bytecode cache each of them compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

# Marks of tests that start programs, break servers or need a browser or Node: see tests/marks.py.
QUICK_MARKS := not process and not browser and not cluster and not kill and not node

.DEFAULT_GOAL := help
.PHONY: help install run demo ui test quick soak bench upstream check check-format check-lint check-types check-pyright check-imports \
	check-repository check-security check-audit format lock clean

help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z][a-z-]*:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  ARGS=... is passed on: make test ARGS='tests/bullworks/cli -x', make run ARGS=--help"

$(RUN_READY): requirements/base.lock requirements/install.py
	@$(PYTHON) requirements/install.py $(VENV) base $@

$(DEV_READY): requirements/dev.lock requirements/install.py
	@$(PYTHON) requirements/install.py $(VENV) dev $@
	@touch $(RUN_READY)

$(UI_READY): bullworks/board/ui/fetch.py | $(RUN_READY)
	@$(BIN)/python bullworks/board/ui/fetch.py || true

install: $(DEV_READY) ## make .venv with everything for running, testing and checking

run: $(RUN_READY) $(UI_READY) ## start the service (an embedded server unless QUEUE_REDIS_URL is set)
	@exec $(BIN)/python main.py $(ARGS)

demo: $(RUN_READY) ## 200 welcome mails through queue, retries and worker, with a live progress bar
	@exec $(BIN)/python main.py demo $(ARGS)

ui: $(RUN_READY) ## fetch Bull Board's own page (needs npm; `make run` does, once)
	@$(BIN)/python bullworks/board/ui/fetch.py

test: $(DEV_READY) ## all tests, on all cores; more of them with redis-server, Node and Chromium (minutes)
	@$(BIN)/python -m pytest -n auto $(ARGS)

quick: $(DEV_READY) ## the tests that start no programs of their own and need no Node and no browser (seconds)
	@$(BIN)/python -m pytest -n auto -m "$(QUICK_MARKS)" $(ARGS)

soak: $(DEV_READY) ## minutes of random faults, not part of `make test` (SOAK_S=300)
	@RUN_SOAK=1 $(BIN)/python -m pytest -s tests/bullworks/soak $(ARGS)

bench: $(DEV_READY) ## every peer through every workload (PEERS=bullworks,bullmq for some; half an hour for all)
	@$(BIN)/python -m benchmarks $(if $(PEERS),--peers $(PEERS)) $(ARGS)

upstream: $(DEV_READY) ## compare us with another npm bullmq (VERSION=6.5.4; SINCE=6.4.0 for what changed since that one)
	@$(BIN)/python -m tests.bullworks.upstream $(VERSION) $(if $(SINCE),--since $(SINCE)) $(ARGS)

check: check-format check-lint check-types check-pyright check-imports check-repository check-security check-audit ## everything CI checks besides the tests
	@echo "check: all passed"

check-format: $(DEV_READY)
	@echo "check: format (ruff format)"
	@$(BIN)/ruff format --quiet --diff $(wildcard $(PYTHON_FILES))

check-lint: $(DEV_READY)
	@echo "check: lint (ruff check)"
	@$(BIN)/ruff check --quiet $(wildcard $(PYTHON_FILES))

check-types: $(DEV_READY)
	@echo "check: types (mypy --strict)"
	@$(BIN)/mypy --no-error-summary app bullworks main.py

check-pyright: $(DEV_READY)
	@echo "check: types (pyright)"
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python

check-imports: $(DEV_READY)
	@echo "check: layers (import-linter)"
	@$(BIN)/lint-imports --no-logo

check-repository: $(DEV_READY)
	@echo "check: rules of the repository (tests/repository)"
	@$(BIN)/python -m pytest --quiet --no-header --tb=short tests/repository

# Findings of low severity are ruff's S rules too, which want a reason beside each exception.
check-security: $(DEV_READY)
	@echo "check: security (bandit)"
	@$(BIN)/bandit --quiet --severity-level medium --recursive app bullworks main.py

check-audit: $(DEV_READY)
	@echo "check: known vulnerabilities (pip-audit)"
	@$(BIN)/python .ci/audit.py requirements/base.lock requirements/dev.lock

format: $(DEV_READY) ## rewrite the code, and the line anchors in pages, as check wants them
	@$(BIN)/ruff format --quiet $(wildcard $(PYTHON_FILES))
	@$(BIN)/ruff check --quiet --fix $(wildcard $(PYTHON_FILES))
	@$(BIN)/python -m tests.repository.anchors

# uv lives in an environment of its own: the project itself does not need it.
LOCK_VENV := build/lock-venv
COMPILE = $(LOCK_VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-config \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml

lock: ## resolve requirements/*.lock anew from pyproject.toml (ARGS=--upgrade for newer versions)
	@test -x $(LOCK_VENV)/bin/uv || { $(PYTHON) -m venv $(LOCK_VENV) && $(LOCK_VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	@$(COMPILE) $(ARGS) --extra standard --group app --output-file requirements/base.lock
	@$(COMPILE) $(ARGS) --constraint requirements/base.lock --extra production --group app --output-file requirements/production.lock
	@$(COMPILE) $(ARGS) --constraint requirements/base.lock --all-extras --group app --group dev --output-file requirements/dev.lock
	@echo "requirements/*.lock are up to date: base for make run, production without the embedded server, dev for all else"

clean: ## remove .venv and everything the tools left; the embedded server's data in var/ stays
	@rm -rf $(VENV) build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache tests/bullworks/node/node_modules
	@find app bullworks tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
