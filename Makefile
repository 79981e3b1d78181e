# Everything a developer runs. `make test` on a fresh clone installs what it needs by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LATEST := .venv-latest
export KERAS_BACKEND := jax

.PHONY: demo test check lint format types test-latest clean

demo: $(VENV)/demo.stamp
	$(BIN)/python examples/digits.py

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: lint types test

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/test.stamp
	$(BIN)/pyright --pythonpath $(BIN)/python

# The newest Python and JAX that can be had.
test-latest:
	@python=$$(command -v python3.13 || ls $$(pyenv root 2>/dev/null)/versions/3.13*/bin/python 2>/dev/null | tail -n 1); \
	if [ -z "$$python" ]; then echo "test-latest needs Python 3.13, which is not here: nothing was tested."; exit 1; fi; \
	test -d $(LATEST) || $$python -m venv $(LATEST); \
	$(LATEST)/bin/pip install -q --upgrade jax jaxlib && $(LATEST)/bin/pip install -q -e '.[test]' && \
	$(LATEST)/bin/python -c 'import jax, sys; print("Python", sys.version.split()[0], "JAX", jax.__version__)' && \
	$(LATEST)/bin/python -m pytest -n 2 --dist loadfile

$(VENV)/demo.stamp: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -e '.[examples]'
	touch $@

$(VENV)/test.stamp: pyproject.toml requirements-dev.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -r requirements-dev.txt
	$(BIN)/pip install -q -e .
	touch $@ $(VENV)/demo.stamp

clean:
	rm -rf $(VENV) $(LATEST) .pytest_cache .ruff_cache .hypothesis build *.egg-info
