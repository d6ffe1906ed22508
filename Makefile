# make demo   the main job on the written sample, offline once the packages are installed
# make test   every check and every test
# make check  linters, types, docstrings and layers only
# make fix    format and mend what the linters can mend
# make gate   the models against experiments/baseline.json: exit code 6 where one got worse (read pages only where they are at hand)
# make bench  this project beside fastText and others (CORPUS=FILE: a corpus of `newswinnow corpus build` to learn from too)
# make fixture        make the committed model of format version 1 anew (only before that format is released)
# make check-sklearn  load saved models under scikit-learn 1.5 and the installed one (needs a package index)
# make ship   train the model that ships from its committed configuration (needs the read corpus beside the project)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The n-gram kernel is compiled once per machine; better now than in somebody's first prediction.
WARM := $(BIN)/python -c 'from newswinnow.features.hashed import warm_up; warm_up()'
export OMP_NUM_THREADS ?= 2

.PHONY: demo test check fix gate bench fixture check-sklearn ship clean
SHIPPED := experiments/034-without-test

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13), "newswinnow needs Python 3.11 to 3.13; got " + sys.version.split()[0] + " (make PYTHON=python3.12 ...)"'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	$(WARM)
	touch $@

$(VENV)/.installed-dev: $(VENV)/.python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(WARM)
	touch $@ $(VENV)/.installed

demo: $(VENV)/.installed
	$(BIN)/python data/demo.py

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check src tests data benchmarks
	$(BIN)/ruff check src tests data benchmarks
	$(BIN)/mypy
	$(BIN)/pydoclint --quiet src
	$(BIN)/lint-imports --no-cache > /dev/null || $(BIN)/lint-imports --no-cache

test: check
	$(BIN)/pytest -q -n 2 --cov --cov-report=term:skip-covered --cov-fail-under=90

gate: $(VENV)/.installed
	$(BIN)/newswinnow experiments gate

fix: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix-only --quiet src tests data benchmarks
	$(BIN)/ruff format src tests data benchmarks

# Older pips fail over what trafilatura and readability-lxml ask of lxml.
$(VENV)/.installed-bench: $(VENV)/.python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=23.3'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(WARM)
	touch $@ $(VENV)/.installed

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.classify --write $(if $(CORPUS),--corpus $(CORPUS)) $(BENCH)
	$(BIN)/python -m benchmarks.bulk --write $(BULK)

fixture: $(VENV)/.installed
	$(BIN)/python tests/models/fixtures/make_format_1.py

check-sklearn: $(VENV)/.installed-dev
	$(BIN)/python tests/cross_version/check_sklearn.py 1.5

ship: $(VENV)/.installed
	$(BIN)/newswinnow experiments run $(SHIPPED) --overwrite
	mkdir -p src/newswinnow/models/shipped
	cp $(SHIPPED)/model/manifest.json $(SHIPPED)/model/weights.safetensors src/newswinnow/models/shipped/

clean:
	rm -rf $(VENV) runs
