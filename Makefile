# Every target does all its set-up, on a machine that has Python 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin
# Compiled afterwards by all cores, but for files that packages bring for other Pythons.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

.PHONY: demo test quick endurance gpu nightly check docs site release clean

demo: .venv/ready
	$(BIN)/zoo list 'deepbind.encode_usf*'
	$(BIN)/zoo verify deepbind.encode_usf1_h1hesc
	@echo "Four made sequences with the E-box GTCACGTGAC that USF1 binds, each followed by its own shuffle:"
	$(BIN)/zoo predict deepbind.encode_usf1_h1hesc zoo/examples/ebox.fa -o -

test: .venv/ready
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

quick: .venv/ready
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not public_data"

# Kills, full disks, twins, damaged and hostile files, in numbers; writes docs/endurance.md.
endurance: .venv/ready
	rm -rf build/endurance
	ENDURANCE=full ENDURANCE_RESULTS=$(CURDIR)/build/endurance $(BIN)/python -m pytest -n auto --dist worksteal tests/endurance
	$(BIN)/python tools/endurance_table.py build/endurance

# Where there is a GPU, in at most eight minutes: contract tests, precisions, compilation, training; writes gpu.* in
# benchmarks/results/.
# Nothing is installed: it takes the environment that is there, .venv or that of PYTHON.
gpu:
	PYTHONPATH=$(CURDIR) $(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) benchmarks/speed/bench_gpu.py --record

# Every name loads and is what was published, the 927 imported models included; each in bf16 too.
nightly: .venv/ready
	$(BIN)/zoo verify --all --published
	$(BIN)/zoo verify --all --precision bf16
	$(BIN)/zoo card --check

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --severity-level medium -r zoo
	$(BIN)/zoo card --check

# The documentation, in build/docs. The notebooks run, which takes some minutes; they run again when code has changed.
docs: build/notebooks-begun
	$(MKDOCS)
	@echo build/docs/index.html

# The same, with the gallery of models in build/docs/gallery.
site: build/notebooks-begun
	$(BIN)/zoo site -o build/gallery --home ../index.html --overwrite
	DOCS_GALLERY=build/gallery $(MKDOCS)
	@echo build/docs/index.html

# Checks, builds and tries what would be released, in dist; uploads nothing. VERSION=0.2.0: what that version lacks.
release: .venv/ready
	$(INSTALL) -e '.[release]'
	$(BIN)/python tools/release.py $(VERSION)

clean:
	rm -rf .venv build runs

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(INSTALL) -e '.[dev,compare]' || { $(INSTALL) -e '.[dev]' && \
	  echo 'cooltools could not be built here (is there a C compiler?): tests that compare with it are skipped'; }
	$(BIN)/python -m compileall -qq -j 0 .venv/lib zoo || true
	touch $@

.venv/docs-ready: .venv/ready
	$(INSTALL) -e '.[docs]'
	touch $@

# The outputs of notebooks are kept in build/notebooks, by the text of the notebook alone.
build/notebooks-begun: .venv/docs-ready $(wildcard zoo/*.py zoo/*/*.py zoo/*/*/*.py zoo/examples/* checkpoints/*/config.json)
	rm -rf build/notebooks
	mkdir -p build
	@echo 'The notebooks run now, which takes some minutes.'
	touch $@
