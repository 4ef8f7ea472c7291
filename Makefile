# Each target works alone on a fresh clone with Python 3.11 and a package registry.
PYTHON ?= python3.11
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
STAMP := $(VENV)/.requirements.lock

.PHONY: env repro test lint deps readme lock clean

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
