# Everything a fresh machine needs: Python 3.12, make and git. Node comes with the build's requirements.
#
#   make demo   install, and run a small real wave on this machine
#   make test   install, and run all tests
#   make lab    open JupyterLab on the demo project

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

UV_VERSION := 0.13.9
BIN := .venv/bin
FRONT_END := $(shell find extension/src extension/style extension/schema -type f 2>/dev/null)

# What a run, a server and the tests start.
STARTED := isaaclab.app isaaclab.envs isaaclab_tasks.utils newton.solvers mujoco_warp rsl_rl.runners \
  wavebook_locomotion.training wavebook_locomotion.evaluation.evaluate wavebook_locomotion.catalogue \
  papermill ipykernel.kernelapp bokeh.plotting optuna jupyterlab.labapp wavebook.app wavebook.cli

IMPORT := import importlib, sys; [*map(importlib.import_module, sys.argv[1:])]

unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo lab test test-fast test-faults lint lint-python lint-front-end lock pictures install clean

demo: install
	$(BIN)/wavebook demo --project demo

lab: install
	$(BIN)/wavebook lab --project demo

install: .venv/installed

# The front end is rebuilt when its sources change; Python sources are used as they are.
.venv/installed: requirements.lock pyproject.toml .venv/uv/bin/uv $(FRONT_END) extension/package.json
	.venv/uv/bin/uv pip install --python $(BIN)/python --require-hashes -r requirements.lock
	.venv/uv/bin/uv pip install --python $(BIN)/python --no-deps -e .
	# A run starts two Pythons; where the environment forbids to keep compiled sources, each would compile them anew:
	# half of the 20 s until a simulation stands. What is imported here is kept compiled.
	$(if $(PYTHONDONTWRITEBYTECODE),$(BIN)/python -W ignore -c '$(IMPORT)' $(STARTED))
	touch $@

.venv/uv/bin/uv:
	@python=""; \
	for candidate in "$${PYTHON:-}" python3.12 python3 python "$$HOME"/.pyenv/versions/3.12*/bin/python /usr/local/bin/python3.12; do \
	  if [ -n "$$candidate" ] && "$$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then \
	    python="$$candidate"; break; \
	  fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Python 3.12 is needed and was not found; install it, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi; \
	python=$$("$$python" -c 'import sys; print(sys._base_executable)'); : "of an active environment, which uv passes over"; \
	"$$python" -m venv .venv/uv; \
	.venv/uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"; \
	.venv/uv/bin/uv venv --quiet --allow-existing --python "$$python" .venv

# Two processes on two cores: with threads of their own they would wait for each other.
test: install chromium system-packages
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=40

test-fast: install
	$(BIN)/python -m pytest -m "not sim and not browser and not slow"

# Everything that may go wrong with runs, with real processes.
test-faults: install system-packages
	WAVEBOOK_FAULT_ROUNDS=200 $(BIN)/python -m pytest tests/faults

# What some tests need beside Python: a small Slurm; a compiler for simulated GPUs and a clock that jumps. A test
# whose program is missing is skipped, with the reason.
SYSTEM_PACKAGES := slurm-wlm munge gcc libc6-dev

.PHONY: system-packages
system-packages:
	@if command -v apt-get >/dev/null && ! dpkg -s $(SYSTEM_PACKAGES) >/dev/null 2>&1; then \
	  sudo=""; if [ "$$(id -u)" != 0 ]; then sudo=$$(command -v sudo || echo none); fi; \
	  if [ "$$sudo" != none ]; then \
	    { $$sudo apt-get update -qq && \
	      $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(SYSTEM_PACKAGES); } >/dev/null 2>&1 || true; \
	  fi; \
	fi

.PHONY: chromium
chromium:
	@if [ -z "$${WAVEBOOK_CHROMIUM:-}" ] && ! command -v chromium chromium-browser google-chrome >/dev/null; then \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq chromium >/dev/null; \
	  elif command -v sudo >/dev/null; then sudo apt-get update -qq && sudo apt-get install -y -qq chromium >/dev/null; \
	  else echo "Chromium is not installed; the browser tests will be skipped" >&2; fi; \
	fi

lint: lint-python lint-front-end

lint-python: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-front-end: install
	cd extension && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm lint:check

# The tour's pictures, and those of the comparison, as the browser tests see them.
pictures: install chromium
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/browser/test_tour.py tests/browser/test_comparison.py -k "tour or view"
	cp test-artifacts/tour-*.png docs/pictures/
	cp test-artifacts/comparison-fixed-evaluation-light.png docs/pictures/comparison.png
	cp test-artifacts/comparison-learning-curves-dark.png docs/pictures/comparison-curves-dark.png
	cp test-artifacts/comparison-parameters-light.png docs/pictures/comparison-parameters.png

lock: .venv/uv/bin/uv
	.venv/uv/bin/uv pip compile pyproject.toml --all-extras --python-version 3.12 --generate-hashes \
	  --no-emit-index-url --no-header --quiet --upgrade -o requirements.lock

clean:
	rm -rf .venv demo dist test-artifacts extension/lib extension/node_modules extension/wavebook/labextension
