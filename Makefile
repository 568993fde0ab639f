# Everything is set up by the targets themselves: Python 3.11 or later, make and git are enough.
PYTHON ?= python3
UV := .tools/bin/uv
RUN := $(UV) run --frozen --no-sync
UV_VERSION := 0.13.8
OURS := src docs tests benchmarks scripts README.md Makefile pyproject.toml

.PHONY: demo test test-faults soak check audit bench bench-load setup
.DEFAULT_GOAL := check

demo: setup
	$(RUN) fairway demo

test: setup
	$(RUN) pytest -n 3 --dist worksteal

check: setup
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) lint-imports
	$(UV) lock --check
	$(RUN) bandit --quiet --configfile pyproject.toml --severity-level medium --recursive src
	$(RUN) kingfisher scan $(OURS) --no-validate --no-update-check --git-history none --quiet
	$(RUN) python scripts/audit.py || test $$? -eq 3

# Asks pypi.org for known vulnerabilities; status 3 where that cannot be found out, which `check` says and lets pass.
audit: setup
	@$(RUN) python scripts/audit.py

# What takes longer than the default suite may: kills in rounds, bad applications, faulty networks.
# FAULT_ROUNDS rounds per strategy, from FAULT_SEED on; each takes about ten seconds.
# Then every parser and every command is asked FUZZ_EXAMPLES times for nonsense.
test-faults: setup
	$(RUN) pytest tests/faults
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-1000} $(RUN) pytest tests/properties/test_*_never_crash.py

# Deploy, bad deploy and rollback again and again, for SOAK_MINUTES, with memory, descriptors and disk watched.
soak: setup
	$(RUN) python -m benchmarks.soak

bench: setup
	$(RUN) python -m benchmarks

# Many rollouts at once, a thousand that wait for somebody, questions to a journal of a million events, and the full
# load through every strategy for two minutes each.
bench-load: setup
	$(RUN) python -m benchmarks.many_rollouts
	$(RUN) python -m benchmarks.journal_growth
	$(RUN) python -m benchmarks.endurance

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
