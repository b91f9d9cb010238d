# Thin: every target is one command in the private environment, which scripts/setup.sh makes.
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml setup.py scripts/setup.sh $(shell find hil firmware_sim controllers -name '*.pyx' -o -name '*.pxd' -o -name '*.h')

.PHONY: run test lint docs incidents comparison bench validate clean

run: $(VENV)/.ready
	$(BIN)/hil run training_job

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python scripts/lint_docs.py
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/cython-lint hil firmware_sim controllers

docs: $(VENV)/.ready
	$(BIN)/python scripts/keys_page.py
	$(BIN)/python scripts/register_pages.py
	$(BIN)/python scripts/profiles_page.py

incidents: $(VENV)/.ready
	$(BIN)/python scripts/incidents_page.py

comparison: $(VENV)/.ready
	$(BIN)/python scripts/compare_page.py

bench: $(VENV)/.ready
	$(BIN)/python benchmarks/all.py

validate: $(VENV)/.peers
	$(BIN)/python validation/all.py

$(VENV)/.peers: $(SOURCES)
	RIDETHROUGH_REQUIRE_PEERS=1 VENV="$(VENV)" scripts/setup.sh
	touch $@

$(VENV)/.ready: $(SOURCES)
	VENV="$(VENV)" scripts/setup.sh

clean:
	rm -rf build *.egg-info runs
	find hil firmware_sim -name '*.so' -delete
