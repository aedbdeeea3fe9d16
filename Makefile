# Two commands for a newcomer: `make demo` and `make test`. Each makes the environment it needs and can be repeated.
# Another Python: make demo PYTHON=python3.12     Another place for the environment: make demo VENV=/tmp/kgreason

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt

# Idle OpenMP threads sleep instead of spinning; the tokenizer does not fork threads; nothing is fetched at run time.
export OMP_WAIT_POLICY := PASSIVE
export TOKENIZERS_PARALLELISM := false
export HF_HUB_OFFLINE := 1

# Tests run in two processes with one thread each; `make test WORKERS=0 ARGS='-x tests/rooms'` runs a part in one.
WORKERS ?= 2
ARGS    ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check venv docs clean

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.installed-demo  ## Install, train with and without the graph, write runs/demo/index.html
	$(BIN)/kgreason demo

test: $(VENV)/.installed-dev  ## Install and run all tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/.installed-dev  ## Format, lint, types, import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

venv: $(VENV)/.installed-dev  ## Make the environment for developers

docs: $(VENV)/.installed-docs  ## Build the documentation into site/
	$(BIN)/zensical build --clean

clean:  ## Remove the environment and what was built; runs/ stays
	rm -rf $(VENV) build dist site kgreason.egg-info

# An extra is installed again only when the list of packages or their versions change.
$(VENV)/.installed-%: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[$(EXTRAS_$*)]'
	@touch $@

EXTRAS_demo := offline,train
EXTRAS_dev  := offline,train,search,ray,spark,trackers,dev
EXTRAS_docs := docs

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no '$(PYTHON)' here. Install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "kgreason needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1)." >&2; \
	  echo "Name a newer one: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
