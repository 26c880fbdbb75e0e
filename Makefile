# `make run` opens the dashboard, `make test` passes the tests. Each first sets up what is missing and nothing else.

DATA ?= demo
PORT ?= 8501
LINES ?= 1
DATABASE ?=
ONLY ?=

PYTHON := .venv/bin/python
# The name holds the lock's checksum: what is installed is what is pinned, and a second run has nothing to do.
READY := .venv/ready-$(shell cksum < requirements.txt | tr ' ' -)
PYTEST := $(PYTHON) -m pytest -n logical --maxprocesses 8 --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help run test quick bench check format lock clean

help:
	@echo 'make run     open the dashboard on http://localhost:$(PORT)  (DATA=demo, cdnow, or the name of your own data set; PORT=8501)'
	@echo 'make test    everything: format, lint, types, and all tests with PostgreSQL and a browser'
	@echo 'make quick   the fast loop: the tests without browser, PostgreSQL and the slow ones, and lint'
	@echo 'make bench   time everything on a synthetic shop  (LINES=1, 10 or 100 million; DATABASE=postgresql://…; ONLY=rooms,browser)'
	@echo 'make format  put the code into its form'
	@echo 'make lock    write requirements.txt anew from pyproject.toml  (UPGRADE=--upgrade raises every pin)'
	@echo 'make clean   remove the environment and the caches; data stay'

run: $(READY)
	@$(PYTHON) -m crm_metrics run --data '$(DATA)' --port '$(PORT)'

test: check
	@$(PYTHON) tests/browser.py
	@$(PYTEST) --durations 10 --durations-min 3

quick: $(READY)
	@$(PYTEST) -m 'not slow and not browser and not postgresql' --hypothesis-profile quick
	@$(PYTHON) -m ruff check --quiet

bench: $(READY)
	@$(PYTHON) -m benchmarks.run --lines '$(LINES)' --database '$(DATABASE)' --only '$(ONLY)'

check: $(READY)
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m mypy

format: $(READY)
	@$(PYTHON) -m ruff format
	@$(PYTHON) -m ruff check --fix

# One version of each package for every Python from 3.11 on: a figure must not depend on who computes it.
lock: $(READY)
	@$(PYTHON) -m uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --fork-strategy fewest \
	    --annotation-style line --custom-compile-command 'make lock' \
	    --quiet $(UPGRADE) --output-file requirements.txt
	@sed -i.old 's/crm-metrics (pyproject.toml)/DIRECT/; s/crm-metrics (pyproject.toml:dev)/DIRECT, development/; 2s/.*/#    make lock   (DIRECT: named in pyproject.toml)/' requirements.txt
	@rm -f requirements.txt.old

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv takes seconds where pip takes a minute; pip does the work where uv cannot be had, or where only pip knows the way to the packages.
$(READY):
	@set -eu; found=; \
	for name in python3.13 python3.12 python3.11 python3; do \
	    if $$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then found=$$name; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo 'No Python 3.11 or newer with its venv module among python3.13, python3.12, python3.11 and python3.' >&2; \
	    echo 'Install one (on Debian and Ubuntu: apt-get install python3 python3-venv) and run make again.' >&2; \
	    exit 1; \
	fi; \
	echo "Setting up .venv with $$($$found --version); this is done once."; \
	$(PYTHON) -c 'import pip' 2> /dev/null || $$found -m venv --clear .venv; \
	{ $(PYTHON) -m pip install --quiet --disable-pip-version-check uv \
	    && $(PYTHON) -m uv pip install --python $(PYTHON) --compile-bytecode -r requirements.txt; } \
	    || $(PYTHON) -m pip install --disable-pip-version-check -r requirements.txt; \
	rm -f .venv/ready-*; touch $@
