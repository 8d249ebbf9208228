# Two commands do all the set-up: `make run` (the main job on real data) and `make test`.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c '$(SUPPORTED)' 2>/dev/null && echo $$name && break; done)
PORT ?= 3000
SERVE ?= 1
BIN := .venv/bin
UV := $(BIN)/uv
SYNCED := .venv/.synced
# The environment of the tests: Spark and a Redis server besides.
TESTED := .venv/.tested

# Compiled modules are kept: without them a command spends seconds on compiling its libraries again.
unexport PYTHONDONTWRITEBYTECODE

# A package mirror that pip is told of is used by uv too.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

CUSTOMER ?= 2283
MINUTES ?= 10

.PHONY: run test check docs picture bench load lock clean

run: $(SYNCED)
	$(BIN)/nextbest run --quick $(if $(filter 0,$(SERVE)),--no-serve,--port $(PORT))

# A worker for each core, four at most for their memory. A file stays with one worker, so what its tests share is
# made once; files go out in their order, as some of those with the fewest tests take the longest. The workers have
# the cores, so the libraries of each have one thread.
test: $(TESTED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(TESTED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m features.docs --check

docs: $(SYNCED)
	$(BIN)/python -m features.docs

# Draws the README's picture from the answer for one customer of the sample; needs `make run SERVE=0` first.
picture: $(SYNCED)
	$(BIN)/python docs/picture.py $(CUSTOMER)

bench: $(TESTED)
	$(BIN)/python -m pytest tests/benchmarks --override-ini=python_files='bench_*.py' --override-ini=python_functions='bench_*' -q -s

# Mixed traffic at 70 % of the service's capacity, with a new model and a new catalogue inside.
load: $(TESTED)
	MINUTES=$(MINUTES) $(BIN)/python -m pytest tests/benchmarks --override-ini=python_files='load_*.py' --override-ini=python_functions='load_*' -q -s

# The lock installs without dependency resolution, so that the NCCL override of pyproject.toml holds.
$(SYNCED): requirements.txt pyproject.toml
	@test -x $(BIN)/python || test -n "$(PYTHON)" || \
		{ echo "Python 3.11 to 3.13 not found; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -E '^uv==' requirements.txt)"
	$(UV) pip sync --python $(BIN)/python requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

$(TESTED): $(SYNCED) requirements-test.txt
	$(UV) pip sync --python $(BIN)/python requirements-test.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

LOCK := pip compile --universal --python-version 3.11 --no-emit-index-url --no-annotate --custom-compile-command "make lock" pyproject.toml --extra dev

lock: $(SYNCED)
	$(UV) $(LOCK) --output-file requirements.txt
	$(UV) $(LOCK) --extra test --constraint requirements.txt --output-file requirements-test.txt

clean:
	rm -rf .venv .nextbest
