# Each target works alone on a fresh clone with Python 3.11, 3.12 or 3.13 and a package registry.
# The first of these that runs and is supported makes the environment; PYTHON=... names another.
PYTHON ?= python3.11 python3.12 python3.13 python3
FOUND = $(shell for module in ensurepip sys; do for python in $(PYTHON); do \
	"$$python" -c "import sys, venv, $$module; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" 2> /dev/null \
	&& echo "$$python" && exit; done; done)
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
INSTALL := $(VENV)/bin/pip install --quiet --no-compile
# Compiles what pip left: on every core, and not what nobody imports. Some packages hold files for other Pythons.
COMPILE := $(VENV)/bin/python -m compileall -qq -x '/tests?/|/testing/|/torch/_inductor/|/transformers/models/'
PYTEST := python -m pytest -n auto --maxprocesses 4 --no-loadscope-reorder
BASE ?= main

.PHONY: env dev install install-dev repro test test-all coverage lint platforms deps docs configuration gate pr-report readme sign check-lock relock \
	lock clean sealed

env:  ## the packages of requirements.lock in .venv, made anew when the file has changed
	@cmp -s requirements.lock $(VENV)/requirements.lock || $(MAKE) --no-print-directory install

dev: env  ## those of requirements-dev.lock too: tools for tests and lint
	@cmp -s requirements-dev.lock $(VENV)/requirements-dev.lock || $(MAKE) --no-print-directory install-dev

# The locks are complete, so nothing is resolved. Only PyTorch, with what stands on it, comes with its dependencies:
# its build for CUDA has libraries that no lock names, and a machine's pip settings say which build it finds. They are
# the larger half, compiled while pip fetches the other one.
install:
	@test -n "$(FOUND)" || { echo "No Python of 3.11 to 3.13 was found ($(PYTHON)): PYTHON=... names one." >&2; exit 1; }
	@$(FOUND) -c 'import ensurepip' 2> /dev/null || \
	  { echo "$(FOUND) has no venv module (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	$(FOUND) -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --constraint requirements.lock pip
	$(INSTALL) --constraint requirements.lock sentence-transformers
	$(COMPILE) $(VENV)/lib & $(INSTALL) --no-deps --requirement requirements.lock && wait
	$(COMPILE) -j 0 $(VENV)/lib || true
	cp requirements.lock $(VENV)/
	@git config merge.dvc-lock.driver '$(VENV)/bin/python -m scripts.merge_lock %O %A %B' 2> /dev/null || true

# Without the stamp of `install` while pip works: if this is killed, the next `make` begins anew.
install-dev:
	rm $(VENV)/requirements.lock
	$(INSTALL) --no-deps --requirement requirements-dev.lock
	$(COMPILE) -j 0 $(VENV)/lib || true
	cp requirements.lock requirements-dev.lock $(VENV)/

repro: env  ## run every stage whose params, data or code changed
	@$(RUN) python -m scripts.before_repro
	$(RUN) dvc repro

test: dev  ## unit tests and one small pipeline, in a process for each core, but four at most
	$(RUN) $(PYTEST) -m "not slow"

test-all: test  ## those, then the slow ones: pipelines, kills, servers, real collections
	$(RUN) $(PYTEST) -m slow

coverage: dev  ## what `make test` runs of the code
	$(RUN) $(PYTEST) -m "not slow" --cov --cov-report=term:skip-covered

lint: dev  ## style, types, spelling, direction of imports
	$(RUN) ruff check .
	$(RUN) ruff format --check --quiet .
	$(RUN) mypy
	$(RUN) typos
	$(RUN) lint-imports

platforms: dev  ## does every line of the locks have a wheel for each supported platform and Python?
	$(RUN) python -m scripts.check_platforms

gate: env  ## did search get worse since BASE? (make's own exit code is 2 whatever the reason)
	$(RUN) python -m domain_embeddings gate "$(BASE)"

pr-report: env  ## write what changed since BASE to data/pull_request/comment.md
	$(RUN) python -m domain_embeddings pr-report "$(BASE)"

sealed: env  ## one look, which is counted, at COLLECTION, a BEIR folder outside of the repository; NAME=... names it
	$(RUN) python -m scripts.sealed "$(COLLECTION)" $(if $(NAME),--name "$(NAME)")

deps: dev  ## bring the code dependencies in dvc.yaml up to date with the imports
	$(RUN) python -m scripts.dependencies

configuration: env  ## write docs/configuration.md from the typed params and params.yaml
	$(RUN) python -m scripts.configuration

docs: dev  ## build docs/ into site/; a link or an anchor that leads nowhere is an error
	$(RUN) NO_MKDOCS_2_WARNING=1 mkdocs build --strict

check-lock: env  ## is dvc.lock of this code, these params and these data?
	$(RUN) python -m scripts.check_lock

relock: env  ## after a change of comments, docstrings or format alone: the code's hashes in dvc.lock, without a run
	$(RUN) python -m domain_embeddings relock

lock:  ## resolve pyproject.toml anew and pin what came out, where pip finds PyTorch's build without CUDA
	$(FOUND) -m venv --clear $(VENV)
	$(VENV)/bin/pip install --upgrade pip setuptools '.[pipeline]' && $(VENV)/bin/pip uninstall --yes domain-embeddings
	$(VENV)/bin/pip freeze --all | sed 's/+cpu$$//' > requirements.lock
	$(VENV)/bin/pip install --constraint requirements.lock '.[pipeline,dev]' && $(VENV)/bin/pip uninstall --yes domain-embeddings
	$(VENV)/bin/pip freeze --all | sed 's/+cpu$$//' | grep -vxF -f requirements.lock > requirements-dev.lock
	cp requirements.lock requirements-dev.lock $(VENV)/

clean:  ## remove the environment; DVC's cache and the outs stay
	rm -rf $(VENV)

readme: env  ## fill the README's table from metrics/
	$(RUN) python -m scripts.readme

sign: env  ## sign the packaged models and the base with KEY, an EC private key (PEM); commit models/*.sig
	$(RUN) python -m domain_embeddings sign "$(KEY)"
