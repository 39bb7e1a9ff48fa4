# Everything is installed by what needs it: `make test` on a fresh clone is enough.
# Needed beforehand: a Python >= 3.11 with pip. `make PYTHON=/path/to/python3.12 test` chooses one.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tools of the development environment (uv above all) before those of the machine.
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"
# Passed on: make test ARGS="-k selection", make lab ARGS="--only 'sel-*'".
ARGS ?=

.PHONY: help demo dev test fuzz type lint format layers check lab lab-fix matrix programs bench bench-fix bench-create bench-verify bench-wrap docs-compat dist clean

help:
	@echo "make demo    break a real Keras environment and examine it (about a minute)"
	@echo "make test    make the development environment and run the tests"
	@echo "make check   type, lint and layer checks"
	@echo "make lab     examine every environment of the laboratory (KERAS_DOCTOR_LAB)"
	@echo "make lab-fix repair every environment of the laboratory, and undo it"
	@echo "make matrix  create an environment for every Keras, backend and Python"
	@echo "make programs  name sets for published programs' imports, and run these (KERAS_DOCTOR_CASES)"
	@echo "make bench   measure speed against uv pip check, pip check and pipdeptree"
	@echo "make bench-fix  measure a repair against the same change by hand"
	@echo "make bench-create  measure create against the same by hand"
	@echo "make bench-verify  measure check --verify against hashlib and openssl"
	@echo "make docs-compat  write docs/compatibility.md from the releases and the measured boundaries"
	@echo "make dist    build the wheel and the sdist"

demo:
	@python=$$(sh tools/find-python.sh) && "$$python" tools/demo.py $(ARGS)

dev: $(READY)

$(READY): pyproject.toml tools/find-python.sh
	@test -x $(BIN)/python || { python=$$(sh tools/find-python.sh) && "$$python" -m venv $(VENV); }
	@# --group needs a newer pip than most interpreters bring.
	$(BIN)/python -m pip install -qq --upgrade pip
	$(BIN)/python -m pip install -qq --group dev --editable .
	@touch $(READY)

# Exit status 5 of pytest: no test was selected. That is an answer, not a failure.
test: $(READY)
	@$(RUN) $(BIN)/python -m pytest $(ARGS); status=$$?; \
	if [ $$status -eq 5 ]; then echo "make test: no test was selected"; exit 0; fi; exit $$status

fuzz: $(READY)
	@$(RUN) $(BIN)/python tests/errors/fuzz.py $(or $(FUZZ_SECONDS),60)

type: $(READY)
	$(RUN) mypy

lint: $(READY)
	$(RUN) ruff check .
	$(RUN) ruff format --check .

format: $(READY)
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

layers: $(READY)
	$(RUN) lint-imports

check: type lint layers

lab: $(READY)
	@$(RUN) $(BIN)/python benchmarks/lab.py $(ARGS)

lab-fix: $(READY)
	@$(RUN) $(BIN)/python benchmarks/repairs.py $(ARGS)

matrix: $(READY)
	@$(RUN) $(BIN)/python benchmarks/creations.py $(ARGS)

programs: $(READY)
	@$(RUN) $(BIN)/python benchmarks/programs.py $(ARGS)

bench: $(READY)
	@$(RUN) $(BIN)/python benchmarks/speed.py $(ARGS)

bench-create: $(READY)
	@$(RUN) $(BIN)/python benchmarks/createtime.py $(ARGS)

bench-fix: $(READY)
	@$(RUN) $(BIN)/python benchmarks/repairtime.py $(ARGS)

bench-verify: $(READY)
	@$(RUN) $(BIN)/python benchmarks/verify.py $(ARGS)

bench-wrap: $(READY)
	@$(RUN) $(BIN)/python benchmarks/wrapping.py $(ARGS)

docs-compat: $(READY)
	@$(RUN) $(BIN)/python -m tools.compatibility_table

dist: $(READY)
	rm -rf dist
	$(RUN) $(BIN)/python -m build --quiet
	@ls dist

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
