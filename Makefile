# Thin: each target is what a person would type. `make help` lists them.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test check bench chaos clean

help: ## say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

demo: .venv/.installed ## try Redfirst in the browser with a made-up service desk
	$(BIN)/redfirst demo

test: .venv/.installed-dev ## run the whole test suite, on SQLite and on a real PostgreSQL
	$(BIN)/python -m pytest -n auto --dist loadfile

check: .venv/.installed-dev ## lint, types, and which room may import which
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.installed-dev ## measure speed; prints a table and writes bench.json
	$(BIN)/python -m tests.benchmarks

chaos: .venv/.installed-dev ## kill processes that deliver, many times, and count what was lost or came twice
	$(BIN)/python -m tests.chaos

clean: ## throw the environment and everything derived away
	rm -rf .venv .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache bench.json

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found. Say which: make PYTHON=…"; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/.installed: requirements.txt pyproject.toml | .venv/bin/python
	@echo "Installing what Redfirst needs, a minute or two the first time …"
	@$(INSTALL) --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.installed-dev: requirements-dev.txt pyproject.toml | .venv/bin/python
	@echo "Installing what Redfirst and its tests need, a few minutes the first time …"
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@ .venv/.installed
