# Everything is set up by the targets themselves: Python 3.11 or later, make and git are enough.
PYTHON ?= python3
UV := .tools/bin/uv
RUN := $(UV) run --frozen --no-sync
UV_VERSION := 0.13.8

.PHONY: demo test check bench setup
.DEFAULT_GOAL := check

demo: setup
	$(RUN) fairway demo

test: setup
	$(RUN) pytest -n 2 --dist worksteal

check: setup
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) lint-imports
	$(UV) lock --check

bench: setup
	$(RUN) python -m benchmarks

setup: .tools/synced

.tools/synced: pyproject.toml uv.lock $(UV)
	$(UV) sync --frozen --quiet --compile-bytecode
	$(RUN) python -m compileall -q src
	touch $@

# A Debian Python may come without ensurepip; then the system package brings it.
$(UV):
	$(PYTHON) -m venv .tools || { apt-get update -q && apt-get install -qy python3-venv && $(PYTHON) -m venv .tools; }
	.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	touch $(UV)
