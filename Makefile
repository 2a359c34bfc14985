# Swara. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
UV := .venv/bin/uv
WEB := web/node_modules/.installed
SETUP := .venv/.installed
WEB_DIST := web/dist/.built

.PHONY: help setup web demo test quick check soak bench lock crepe clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(SETUP) $(WEB_DIST) ## the environment, in .venv and web/node_modules, from locks with hashes

$(SETUP): requirements/dev.txt requirements/uv.txt
	@scripts/find_python.sh >/dev/null
	test -x $(PYTHON) || "$$(scripts/find_python.sh)" -m venv .venv
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/uv.txt
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(PYTHON) requirements/dev.txt requirements/uv.txt
	@touch $@

$(WEB): web/package.json web/package-lock.json
	@scripts/find_node.sh
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

WEB_SOURCES := $(shell find web bundles/manifest.schema.json \( -name node_modules -o -name dist \) -prune \
	-o -type f \( -name '*.ts' -o -name '*.tsx' -o -name '*.html' -o -name '*.css' -o -name '*.json' -o -name '*.svg' \) -print 2>/dev/null)

$(WEB_DIST): $(WEB) $(WEB_SOURCES)
	cd web && npm run --silent build
	@touch $@

web: $(WEB_DIST) ## build web/dist, the player: static files for any host
	@echo "web/dist is built. Here: $(PYTHON) local_runner.py serve. Elsewhere: any static host, with pushed/ inside web/dist."

demo: setup ## set up from nothing; embedded recordings -> trained, gated, pushed; prints how to listen
	scripts/demo.sh

check: setup ## formatting, lint and types
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	cd web && npm run --silent lint && npm run --silent typecheck

SWARA_SHARED ?= ../shared
CREPE := .venv/.crepe

$(CREPE): $(SETUP)
	@if ls $(SWARA_SHARED)/crepe/model-*.h5.bz2 >/dev/null 2>&1; then scripts/install_crepe.sh "$$(realpath $(SWARA_SHARED)/crepe)"; fi
	@touch $@

test: check $(CREPE) ## set up from nothing; every check and test
	cd web && npm run --silent test && npm run --silent e2e
	$(PYTHON) -m pytest -m "not soak" -n 2 --dist loadgroup --no-loadscope-reorder --durations=15

quick: setup ## the tests that take seconds
	$(PYTHON) -m pytest -m "not slow and not soak" -x -q

soak: setup ## tests too long for `make test`
	$(PYTHON) -m pytest -m soak

bench: setup ## speed of training and data, a JSON line each; beside ddsp with DDSP=its python
	DDSP="$(DDSP)" scripts/bench.sh

lock: $(SETUP) ## resolve requirements/*.in anew into pins with hashes
	scripts/lock.sh

crepe: $(SETUP) ## install crepe with its weights: from GitHub, or WEIGHTS=FOLDER where that cannot be reached
	scripts/install_crepe.sh "$(WEIGHTS)"

clean: ## remove what was built and trained, but not the environment
	rm -rf out web/dist web/engine/dist build *.egg-info .pytest_cache .mypy_cache .ruff_cache
