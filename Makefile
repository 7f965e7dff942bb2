# `make run` sets everything up and runs the example study; `make test` runs all tests.
# `make prove` kills trainings and the workflow many times over, and writes benchmarks/results/reliability.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all

.PHONY: run test prove lint fix freeze ui clean

run: $(VENV)/.run
	@PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES)
	@echo
	@echo "The study page:  results/report.html   (open it in a browser)"
	@echo "The MLflow UI:   make ui               (then http://127.0.0.1:5000)"
	@echo "Next:            source $(VENV)/bin/activate && snakemake -c4"

test: $(VENV)/.test
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/run.py

prove: $(VENV)/.test
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python benchmarks/reliability.py

lint: $(VENV)/.test
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/run.py lint

fix: $(VENV)/.test
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow
	$(BIN)/python -m snaketorch.config.reference --fix

freeze: $(VENV)/.test
	{ echo "# The exact versions that the tests ran with; \`make\` installs these. Made by: make freeze"; $(BIN)/python -m pip freeze --exclude-editable; } > constraints.txt
	$(BIN)/python envs/pins.py

ui: $(VENV)/.run
	@$(BIN)/mlflow ui --backend-store-uri sqlite:///results/mlflow.db --host 127.0.0.1

clean:
	rm -rf results state logs .snakemake

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Snaketorch needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make run PYTHON=python3.12")'
	@echo "Creating the virtual environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }

# The pinned versions are those that the tests ran with.
$(VENV)/.run: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing packages into $(VENV); the first time takes a few minutes (PyTorch is large) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[test]"
	@touch $@
