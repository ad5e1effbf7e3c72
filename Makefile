# `make demo` and `make test` are all a newcomer needs; each sets up .venv by itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# One worker has the real Ray, and waits for it most of the time; the others share what needs none.
WORKERS = -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --maxprocesses 4 --dist loadgroup

COMPAT := 2.40 2.52

.PHONY: help venv demo scripts test quick test-slow test-depth test-prism check format test-compat test-containers test-gallery test-gallery-slow test-gpu bench pages screenshots tour recorded-cluster lock clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

venv: $(READY)  ## set up .venv

$(READY): pyproject.toml requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "rayakash-tui needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV); this takes a minute or two, once."
	@$(PYTHON) -m venv --clear $(VENV)
	@total=$$(grep -c '^[a-z0-9].*==' requirements-dev.lock); \
	  { PYTHONUNBUFFERED=1 $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	      --require-hashes -r requirements-dev.lock 2>&1 || echo "pip failed"; } \
	  | awk -v total="$$total" -f docker/pip_progress.awk
	@$(PIP) --no-deps --editable .
	@touch $@

demo: $(READY)  ## start a real Ray here, run sample jobs on it, and look at them
	@$(BIN)/rayakash-tui demo

test: $(READY)  ## run the tests, against a real Ray too
	@$(BIN)/python -m pytest $(WORKERS) -m "not compat and not gpu and not slow and not depth and not containers and not gallery and not prism"

quick: $(READY)  ## run the fast tests, without Ray and the interface: under a minute, to run after each change
	@$(BIN)/python -m pytest $(WORKERS) --durations=5 \
	  -m "not lengthy and not live and not slow and not depth and not compat and not gpu and not containers and not prism" \
	  tests/unit tests/wire tests/sdl tests/secrets

test-slow: $(READY)  ## run the proofs that take a minute and more
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup -m "slow and not depth and not compat and not containers and not gallery and not prism"

test-depth: $(READY)  ## bring about what keeps a real Ray waiting, and ask why: under 10 minutes
	@$(BIN)/python -m pytest -m depth tests/depth

check: $(READY)  ## lint, format, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY)  ## put the code in shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

test-compat: $(READY) $(COMPAT:%=.venv-ray-%/.ready)  ## run the client tests on older releases of Ray
	@set -e; for version in $(COMPAT); do \
	  echo "Ray $$version"; \
	  RAYAKASH_RAY_BIN=$(CURDIR)/.venv-ray-$$version/bin $(BIN)/python -m pytest -m compat tests/compat; \
	done

.venv-ray-%/.ready: tests/compat/requirements-%.txt
	@$(PYTHON) -m venv --clear .venv-ray-$*
	@.venv-ray-$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

test-containers: $(READY)  ## run the templates in containers, as root; podman makes what it cannot pull
	@$(BIN)/python -m pytest -m containers tests/containers

test-prism: $(READY)  ## hold the simulated Console against its own document with Prism, which npm installs
	@$(MAKE) --no-print-directory .prism/.ready || [ "$$RAYAKASH_STRICT" != 1 ]
	@$(BIN)/python -m pytest -m prism tests/akash

.prism/.ready: tests/akash/prism-version.txt
	@command -v npm >/dev/null || { echo "test-prism needs npm: apt-get install nodejs npm"; exit 1; }
	@npm install --silent --no-audit --no-fund --prefix .prism @stoplight/prism-cli@$$(cat $<)
	@touch $@

test-gallery: $(READY) .venv-gallery/.ready  ## run the samples on a real Ray with its libraries and CPU torch
	@RAYAKASH_RAY_BIN=$(CURDIR)/.venv-gallery/bin $(BIN)/python -m pytest -m "gallery and not slow" tests/gallery

test-gallery-slow: $(READY) .venv-gallery/.ready  ## run the samples whose packages take minutes to install
	@.venv-gallery/bin/python -m pip install --quiet --disable-pip-version-check "ray[rllib]==2.60.0" gymnasium==1.2.2 \
	  transformers==5.24.0 peft==0.21.2
	@.venv-gallery/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation deepspeed==0.19.8
	@RAYAKASH_RAY_BIN=$(CURDIR)/.venv-gallery/bin $(BIN)/python -m pytest -m "gallery and slow" tests/gallery

.venv-gallery/.ready: tests/gallery/requirements.txt
	@$(PYTHON) -m venv --clear .venv-gallery
	@.venv-gallery/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

scripts: $(READY)  ## put the start scripts of docker/ into the templates
	@$(BIN)/python docker/into_templates.py

test-gpu: $(READY)  ## compare with nvidia-smi, on a machine with a GPU
	@$(BIN)/python -m pytest -m gpu

bench: $(READY)  ## measure, beside what there is to compare with; nothing of it is a test
	@$(BIN)/python -m tests.bench

pages: $(READY)  ## write the pages of help that follow from the code
	@$(BIN)/python -m tests.pages

screenshots: $(READY)  ## draw the pictures of the README again
	@$(BIN)/python -m screenshots.make

tour: $(READY)  ## record the terminal again while a script presses keys
	@$(BIN)/python -m screenshots.cast

recorded-cluster: $(READY)  ## make the recorded cluster of `demo --replay` again
	@$(BIN)/python -m screenshots.demo_cluster

lock: $(READY)  ## pin every dependency again
	@$(PIP) uv
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	  --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	  --custom-compile-command "make lock" --extra local --extra web --group dev pyproject.toml -o requirements-dev.lock

clean:  ## remove what the targets above made
	rm -rf .venv .venv-ray-* .prism .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
