# make demo    install into .venv and see policies converge on the embedded platform
# make test    install everything and run the whole test suite
# make check   lint, types, import contracts
# make lowest  the whole test suite again, with the oldest release that pyproject.toml allows of every requirement
# make torture faults, bad input and adversaries at length: a table of what was tried (BULLETS="network disk": those alone)
# make mutants put small mistakes into the pure modules: a test must notice each (MODELPOLICY_MUTANTS=400: so many of them)
# make supply  look the locked requirements up for known flaws and write build/sbom.json (make lock locks them anew)
# make docs    write docs/reference and crds again from the code
# make bench   measure every row of benchmarks/README.md that this machine can
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := ark,metrics,otel,postgres,serve
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--python-version 3.11 --custom-compile-command 'make lock'

.PHONY: help install demo test lowest check torture mutants lock supply docs bench
help:
	@sed -n 's/^# //p' Makefile | head -9

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.developed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]' --group test --group check
	@touch $@ $(VENV)/.installed

$(VENV)/.tortured: $(VENV)/.developed
	$(BIN)/python -m pip install --quiet --group torture
	@touch $@

install: $(VENV)/.installed

demo: $(VENV)/.installed
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/quick-start/demo.sh

test: $(VENV)/.developed
	$(BIN)/python -m pytest -n 2 -q

lowest: $(VENV)/.supplied
	mkdir -p build
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/lowest
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --all-extras pyproject.toml -o build/lowest.txt >/dev/null
	$(BIN)/uv pip install --quiet --python build/lowest/bin/python --constraint build/lowest.txt --editable '.[$(EXTRAS)]' --group test
	build/lowest/bin/python -m pytest -n 2 -q

check: $(VENV)/.developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

torture: $(VENV)/.tortured $(VENV)/.supplied
	$(BIN)/python tests/torture/run.py $(BULLETS)

mutants: $(VENV)/.developed
	$(BIN)/python tests/mutants.py

$(VENV)/.supplied: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --group supply
	@touch $@

lock: $(VENV)/.supplied
	mkdir -p requirements
	$(LOCK) --all-extras pyproject.toml -o requirements/release.txt
	$(LOCK) --group build -o requirements/build.txt

supply: $(VENV)/.supplied
	mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements/release.txt --pyproject pyproject.toml --output-reproducible -o build/sbom.json
	$(BIN)/pip-audit --disable-pip --require-hashes -r requirements/release.txt

docs: $(VENV)/.installed
	$(BIN)/python docs/generate.py

bench: $(VENV)/.developed
	$(BIN)/python -m benchmarks
