# On Windows, or without make: the README has the same steps as plain commands.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= runs/first

.PHONY: run studio setup test bench docs lowest fresh package lint format clean

run: setup  ## train the default recipe for a few minutes and say what was written
	$(BIN)/inkgan train flagship-quick --minutes 5 --fallback uci-digits --out $(OUT)

studio: setup  ## opens the studio: train, watch and compare in the browser
	$(BIN)/inkgan studio

setup: $(VENV)/.ready

# Installs again when the dependencies have changed.
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "inkgan needs Python 3.11 or newer; try: make setup PYTHON=python3.12")'
	@echo 'Installing inkgan and the tools of its tests into $(VENV); this takes some minutes, once.'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $$(test -t 1 || echo --quiet) --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

test: setup  ## one process more than cores, as some tests wait; files stay together, for their fixtures
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest --dist loadfile --maxprocesses 4 \
	  -n $$($(BIN)/python -c 'import os; print(1 + (os.cpu_count() or 1))')

bench: setup  ## times training beside a textbook loop, TensorFlow and JAX, about 20 minutes
	$(BIN)/python -m benchmarks.train --against tensorflow,jax --bfloat16 --json benchmarks/results/latest.json

docs: setup  ## builds the documentation site into site/
	$(BIN)/python docs/notebook_pages.py
	$(BIN)/zensical build --strict --clean
	$(BIN)/python docs/finish_site.py
	@echo 'site/index.html opens in a browser, with its search'

lowest:  ## tests the oldest dependencies that are allowed
	test -x .venv-lowest/bin/python || $(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-lowest.txt -e . pytest pytest-timeout hypothesis
	.venv-lowest/bin/python -m pytest -q -p no:cacheprovider -W default tests/config tests/io tests/generation

fresh: setup  ## installs the wheel without extras elsewhere and runs the README's commands there
	rm -rf build/fresh
	$(BIN)/python -m tests.fresh_environment --folder build/fresh

package: setup  ## builds and checks the wheel and the source distribution in dist/
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m twine check --strict dist/*

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## removes the environment, never the runs
	rm -rf $(VENV) .venv-lowest
