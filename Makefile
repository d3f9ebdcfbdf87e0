# Two commands do all the set-up: `make demo` and `make test`. PIP_* variables (index, find-links) are honoured by pip.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
OUT := out/demo
DATA ?=  # folder of the public sets; without it the gate evaluates on our own alone

.PHONY: demo test lint bench gate clean
.DELETE_ON_ERROR:

demo: $(VENV)/.stamp-run
	$(BIN)/pinzhi run data/demo $(addprefix --brand ,$(wildcard configs/brands/*.yaml)) --out $(OUT)

test: lint
	$(BIN)/python -m pytest -m "not slow"

lint: $(VENV)/.stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.stamp-dev
	$(BIN)/python -m benchmarks.bench_readers
	$(BIN)/python -m benchmarks.bench_encoder
	$(BIN)/python -m benchmarks.bench_scoring
	$(BIN)/python -m benchmarks.bench_index
	$(BIN)/python -m benchmarks.bench_archive 20000

gate: $(VENV)/.stamp-dev demo
	$(BIN)/python -m pytest -m slow
	$(BIN)/python -m pinzhi.evaluation.grades
	$(BIN)/python -m pinzhi.evaluation.archive $(OUT) data/labels/demo.jsonl
	$(BIN)/python -m pipelines.evaluate $(DATA) --out out/evaluation

clean:
	rm -rf $(VENV) out build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .prefect

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "pinzhi needs Python 3.11 or newer, found none; install python3.11, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "python3 -m venv failed; on Debian and Ubuntu install python3-venv" >&2; exit 1; }

$(VENV)/.stamp-run: pyproject.toml | $(BIN)/python
	$(BIN)/pip install -e .
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml | $(BIN)/python
	$(BIN)/pip install -e '.[dev]'
	@touch $@ $(VENV)/.stamp-run
