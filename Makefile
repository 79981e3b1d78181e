# Everything that a developer runs. On a fresh clone each target installs what it needs by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LATEST := .venv-latest
PYTEST := -m pytest -n 2 --dist loadfile
export KERAS_BACKEND := jax

.PHONY: demo test check lint format types api picture bench test-latest clean

# Train a classifier of handwritten digits.
demo: $(VENV)/demo.stamp
	$(BIN)/python examples/digits.py

# The whole suite, the examples in docstrings included.
test: $(VENV)/dev.stamp
	$(BIN)/python $(PYTEST)

check: lint types test

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/dev.stamp
	$(BIN)/pyright --pythonpath $(BIN)/python

# Write down the public names and the pages of the API, after a change of them that was meant.
api: $(VENV)/dev.stamp
	$(BIN)/python tests/test_public_api.py
	$(BIN)/python docs/generate_api.py

# Draw the picture of the README anew, after a change of its example or of what a terminal shows.
picture: $(VENV)/dev.stamp
	$(BIN)/python docs/picture.py

# The benchmarks; writes docs/speed.md and the README's table. Without PyTorch and Lightning they say so and leave those out.
bench: $(VENV)/dev.stamp
	-$(BIN)/pip install -q -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks

# The same suite on Python 3.13 with the newest JAX.
test-latest:
	@python=; \
	for candidate in python3.13 "$$(pyenv root 2>/dev/null)"/versions/3.13*/bin/python; do \
		if "$$candidate" -c "import sys; sys.exit(sys.version_info[:2] != (3, 13))" 2>/dev/null; then python=$$candidate; fi; \
	done; \
	if [ -z "$$python" ]; then echo "There is no Python 3.13 here (neither python3.13 nor pyenv's), so nothing was tested."; exit 1; fi; \
	test -x $(LATEST)/bin/pip || "$$python" -m venv --clear $(LATEST)
	$(LATEST)/bin/pip install -q --upgrade --upgrade-strategy eager jax
	$(LATEST)/bin/pip install -q -e ".[test]"
	$(LATEST)/bin/python -c "import jax, platform; print('Python', platform.python_version(), 'with JAX', jax.__version__)"
	$(LATEST)/bin/python $(PYTEST)

clean:
	rm -rf $(VENV) $(LATEST) .pytest_cache .ruff_cache .hypothesis build *.egg-info

$(VENV)/made.stamp:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
		{ echo "Elegy needs Python 3.11 or newer; $(PYTHON) is older. Name another one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(VENV)/demo.stamp: $(VENV)/made.stamp pyproject.toml
	$(BIN)/pip install -q -e ".[examples]"
	touch $@

$(VENV)/dev.stamp: $(VENV)/made.stamp pyproject.toml requirements-dev.txt
	$(BIN)/pip install -q -r requirements-dev.txt
	$(BIN)/pip install -q -e ".[dev]"
	touch $@ $(VENV)/demo.stamp
