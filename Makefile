# Each target works alone on a fresh clone with Python 3.11 and a package registry.
PYTHON ?= python3.11
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
STAMP := $(VENV)/.requirements.lock
BASE ?= main

.PHONY: env repro test lint deps gate pr-report readme sign lock clean

env: $(STAMP)

$(STAMP): requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement requirements.lock
	cp requirements.lock $(STAMP)

repro: env  ## run every stage whose params, data or code changed
	$(RUN) dvc repro

test: env  ## the whole test suite
	$(RUN) python -m pytest

lint: env  ## style, types, direction of imports
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) lint-imports

gate: env  ## did search get worse since BASE? (stages/gate.py; in make's words every status but 0 is 2)
	$(RUN) python -m stages.gate "$(BASE)"

pr-report: env  ## write what changed since BASE to data/pull_request/comment.md
	$(RUN) python -m stages.pull_request "$(BASE)"

deps: env  ## bring the code dependencies in dvc.yaml up to date with the imports
	$(RUN) python -m tests.dependencies

lock:  ## resolve pyproject.toml anew and pin what came out
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --upgrade '.[dev]' && $(VENV)/bin/pip uninstall --yes domain-embeddings
	$(VENV)/bin/pip freeze --exclude pip --exclude setuptools | sed 's/+cpu$$//' > requirements.lock
	cp requirements.lock $(STAMP)

clean:  ## remove the environment; DVC's cache and the outs stay
	rm -rf $(VENV)

readme: env  ## fill the README's table from metrics/
	$(RUN) python -m tests.readme

sign: env  ## sign the packaged models and the base with KEY, an EC private key (PEM); commit models/*.sig
	$(RUN) python -m stages.sign "$(KEY)"
