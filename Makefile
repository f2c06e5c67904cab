# `make run` and `make test` do all the set-up there is. Everything lands in .venv and .tools.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONFIG ?= config/cexwatch.yaml
# make eval EVAL=--quick: one seed of a few weeks
EVAL ?=

.PHONY: run demo probe test lint bench soak eval docs image-check boards-seen clean help

help:
	@echo "run    the daemon, observer configuration, no key needed"
	@echo "demo   a staged halt and a staged campaign, 30 times as fast as life"
	@echo "probe  look once at every exchange and print what is seen"
	@echo "test   everything but the full-length kills, soaks and fuzz"
	@echo "lint   ruff and mypy"
	@echo "bench  every benchmark, each as a ratio in one run"
	@echo "soak   the full-length versions of what test runs as slices"
	@echo "image-check  the container image, built and run (needs root, buildah, podman, runc, curl)"
	@echo "boards-seen  pictures of every dashboard in .tools/seen (needs npm and 600 MB of it, chromium, prometheus)"
	@echo "docs   what is generated: references of configuration, API and metrics, dashboards, what Kubernetes gets"
	@echo "eval   one table of what is asked of the detectors and what they do (needs CEXWATCH_TOOLS, CEXWATCH_EVAL_DATA)"

$(VENV)/run.stamp: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cexwatch needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "install python3-venv first"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python tools/link.py
	touch $@

$(VENV)/test.stamp: requirements-dev.lock $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

run: $(VENV)/run.stamp
	$(BIN)/cexwatch run --config $(CONFIG)

demo: $(VENV)/run.stamp
	$(BIN)/cexwatch demo

probe: $(VENV)/run.stamp
	$(BIN)/cexwatch probe once --config $(CONFIG)

# Hundreds of daemons and commands are started; where bytecode is not to be kept each would compile everything again.
test soak: export PYTHONDONTWRITEBYTECODE =

test: $(VENV)/test.stamp
	sh tools/install-servers.sh
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not soak"

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/test.stamp
	for figure in benchmarks/*.py; do echo "== $$figure"; PYTHONPATH=. $(BIN)/python $$figure || exit 1; done

soak: $(VENV)/test.stamp
	sh tools/install-servers.sh
	$(BIN)/python -m pytest -m soak --timeout 3600
	CEXWATCH_EXAMPLES=20 $(BIN)/python -m pytest -n 2 -m "not soak" --timeout 3600 tests/property

eval: $(VENV)/test.stamp
	PYTHONPATH=. $(BIN)/python -m benchmarks.evaluation $(EVAL)

docs: $(VENV)/run.stamp
	$(BIN)/cexwatch config schema > config/cexwatch.schema.json
	$(BIN)/cexwatch config reference > docs/configuration.md
	$(BIN)/cexwatch freeze schema > config/freeze.schema.json
	PYTHONPATH=. $(BIN)/python tools/freeze_configuration.py
	PYTHONPATH=. $(BIN)/python tools/openapi.py > docs/openapi.json
	PYTHONPATH=. $(BIN)/python tools/metrics.py
	PYTHONPATH=. $(BIN)/python tools/dashboards.py
	sh tools/kustomize.sh > deploy/kustomize/configuration.yaml

image-check:
	sh tools/image-check.sh

boards-seen: $(VENV)/test.stamp
	npm install --prefix tools/seen --ignore-scripts --no-audit --no-fund --no-package-lock
	PYTHONPATH=. $(BIN)/python -m tools.seen.typed .tools/seen
	PYTHONPATH=. $(BIN)/python -m tools.seen.see .tools/seen

clean:
	rm -rf $(VENV) .tools tools/seen/node_modules
