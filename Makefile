# Swara. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
UV := .venv/bin/uv
WEB := web/node_modules/.installed
SETUP := .venv/.installed
WEB_DIST := web/dist/.built

.PHONY: help setup web demo test quick check soak soak-data soak-kills soak-web soak-stack bench lock outdated pins release crepe clean FORCE

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(SETUP) $(WEB_DIST) ## the environment, in .venv and web/node_modules, from locks with hashes

# SWARA_STACK=old|new chooses the set of packages; .venv is made anew where it has the other one.
OTHER_STACK := $(if $(SWARA_STACK),$(if $(filter $(SWARA_STACK),$(shell cat .venv/.stack 2>/dev/null)),,FORCE))

$(SETUP): requirements/old/dev.txt requirements/new/dev.txt requirements/uv.txt $(OTHER_STACK)
	scripts/setup.sh
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

BOTH_CORES := -n 2 --dist loadgroup --no-loadscope-reorder # tests/conftest.py keeps together what shares a dear fixture

test: check $(CREPE) ## set up from nothing; every check and test
	cd web && npm run --silent test && npm run --silent e2e
	$(PYTHON) -m pytest -m "not soak" $(BOTH_CORES) --durations=15

quick: setup ## the tests that take seconds
	$(PYTHON) -m pytest -m "not slow and not soak" $(BOTH_CORES) -x -q

soak: soak-data soak-kills soak-web soak-stack ## tests too long for `make test`

soak-data: setup ## recordings and settings without end: hours, damage, chance
	$(PYTHON) -m pytest -m "soak(part='data')"

soak-kills: setup ## processes killed and disks filled in the middle of the work, here and on a cluster
	$(PYTHON) -m pytest -m "soak(part='kills')"

soak-web: setup ## the player in every browser, three times over; the engine's package in each bundler
	cd web && npm run --silent soak

soak-stack: setup ## long runs here, and the new set of packages (in a Debian 13 root where this system is older): quick tests, demo, replay of a compiled pipeline
	$(PYTHON) -m pytest -m "soak(part='stack')"
	scripts/soak_stack.sh all

bench: setup ## speed of training and data, a JSON line each; beside ddsp with DDSP=its python
	DDSP="$(DDSP)" scripts/bench.sh

lock: $(SETUP) ## resolve requirements/*/*.in anew into pins with hashes; UPGRADE=1 takes newer releases
	scripts/lock.sh $(if $(UPGRADE),--upgrade)

outdated: $(SETUP) ## list locked packages that have a newer release which their set admits
	@scripts/outdated.sh

pins: $(SETUP) ## resolve the actions of workflows to commits, and base images to digests, where GitHub and Docker Hub can be reached
	$(PYTHON) scripts/pins.py

release: setup ## the files of a release, in build/release: sources, the built page, what both depend on (CycloneDX), SHA-256 sums
	$(PYTHON) scripts/release.py

crepe: $(SETUP) ## install crepe with its weights: from GitHub, or WEIGHTS=FOLDER where that cannot be reached
	scripts/install_crepe.sh "$(WEIGHTS)"

clean: ## remove what was built and trained, but not the environment
	rm -rf out web/dist web/engine/dist build *.egg-info .pytest_cache .mypy_cache .ruff_cache
