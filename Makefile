PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUNTIME := .venv/.runtime-installed
PROJECT := .venv/.project-installed
TESTS := .venv/.tests-installed
FUZZ := .venv/.fuzz-installed
FUZZ_CORPUS := var/fuzz

.DEFAULT_GOAL := help
.PHONY: help install install-tests demo test test-all servers lint types contracts pytest soak fuzz bench screenshots lock clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(PROJECT) ## build .venv from the pinned requirements

install-tests: $(TESTS) ## add what the tests need

demo: install ## run a whole simulated city on this machine
	$(BIN)/citydeck up

test: SOME := -m "not long"
test: servers install-tests lint types contracts pytest ## everything CI checks

test-all: servers install-tests lint types contracts pytest ## the same, and the tests that take minutes each

servers: ## install the broker, database, proxy and browser that tests run (Debian's packages)
	@.ci/servers

lint: $(TESTS) ## style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(TESTS) ## mypy, strict
	$(BIN)/mypy

contracts: $(TESTS) ## who may import whom
	$(BIN)/lint-imports

pytest: $(TESTS) ## the tests alone, three files at a time; ARGS="-k alarms" picks some
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(SOME) $(ARGS)

soak: servers $(TESTS) ## rounds of bad luck for as long as you like; ARGS="--minutes 480 --seed 5000"
	$(BIN)/python -m tests.chaos.soak $(ARGS)

fuzz: $(FUZZ) ## look for bytes that break a decoder, five minutes; ARGS="-max_total_time=3600"
	$(BIN)/python -m tests.fuzz.fuzzer $(FUZZ_CORPUS) -max_total_time=300 -print_final_stats=1 $(ARGS)

bench: servers $(TESTS) ## measure one figure of docs/performance.md; ARGS="throughput --runs 3"
	$(BIN)/python -m benchmarks $(ARGS)

screenshots: $(TESTS) ## the pictures of the documentation
	$(BIN)/python docs/make_screenshots.py

lock: ## pin the requirements anew; ARGS=--upgrade takes newer versions
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip --disable-pip-version-check --quiet install uv==0.13.8
	$(call compile,requirements/runtime.txt)
	$(call compile,requirements/test.txt,--extra postgres --extra test --constraint requirements/runtime.txt)
	$(call compile,requirements/fuzz.txt,--extra fuzz --constraint requirements/test.txt)

clean: ## remove what was built
	rm -rf .venv .venv-lock build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

compile = .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--output-file $(1) $(2) $(ARGS) pyproject.toml requirements/build.in

$(RUNTIME): requirements/runtime.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "CityDeck needs Python 3.11 or newer, and $(PYTHON) is not; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes -r requirements/runtime.txt
	@touch $@

$(PROJECT): pyproject.toml $(RUNTIME)
	$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(TESTS): requirements/test.txt $(PROJECT)
	$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

$(FUZZ): requirements/fuzz.txt $(TESTS)
	$(PIP) install --require-hashes -r requirements/fuzz.txt
	@touch $@
