# Two commands on a fresh machine: `make demo` and `make test`. Both set themselves up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test lint bench coverage clean

setup: $(READY)

# Three steps (ARCHITECTURE.md § Set-up): build tools for the one source distribution, then everything locked
# by hash, then this project. No compiler is needed, and no package index is named.
$(READY): requirements-build.lock requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || \
		{ echo "This needs Python 3.11 to 3.14, and $(PYTHON) is another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@echo "setting up $(VENV) (a minute or two)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-build-isolation -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

# People who do not exist walk through a small station: no data is needed.
demo: $(READY)
	@rm -rf runs/demo
	$(BIN)/testbed run scenarios/station.yaml --out runs/demo

test: $(READY) lint
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Beside cimat, and other peers where they are installed (extra `peers`).
bench: $(READY)
	$(BIN)/python tests/benchmarks/bench_intervals.py
	$(BIN)/python tests/benchmarks/bench_embeddings.py
	$(BIN)/python tests/benchmarks/bench_kernels.py
	$(BIN)/python tests/benchmarks/bench_scale.py
	$(BIN)/python tests/benchmarks/bench_raster.py
	$(BIN)/python tests/benchmarks/bench_replay_overhead.py

# docs/coverage.md from 5,000 samples a cell, in an hour or two on two cores; REPLICATES=500 for a quick look.
coverage: $(READY)
	$(BIN)/python -m testbed.evidence.coverage $(if $(REPLICATES),--replicates $(REPLICATES))

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
