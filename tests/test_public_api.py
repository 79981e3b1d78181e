"""The public names, written down: a change of them is seen, and each name explains itself.

`make api` writes the snapshot anew.
"""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import elegy

SNAPSHOT = Path(__file__).parent / "public_api.txt"
PROMISED = """
    Batch Callback InjectionError Loss Metric Model Module ModuleOrderError RNG Ratio Reduction RunState Running Stop
    When add_parameter bind is_training next_rng_key update_parameter
    callbacks data initializers losses metrics nets nn regularizers
""".split()


def exported(package):
    """The names that a package's `__init__` re-exports, as type checkers see them: `from ._x import y as y`."""
    statements = ast.parse(inspect.getsource(package)).body
    aliases = [alias for node in statements if isinstance(node, ast.ImportFrom) for alias in node.names]
    return sorted(alias.name for alias in aliases if alias.name == alias.asname)


def public_api():
    """By full name everything that `elegy` and its namespaces export."""
    found = {}
    for name in exported(elegy):
        found[f"elegy.{name}"] = value = getattr(elegy, name)
        if inspect.ismodule(value):
            found |= {f"elegy.{name}.{inner}": getattr(value, inner) for inner in exported(value)}
    return found


API = public_api()


def test_the_public_names_are_those_of_the_snapshot():
    assert "\n".join(sorted(API)) == SNAPSHOT.read_text(encoding="utf-8").strip(), "if this is meant: make api"


def test_what_is_promised_is_there():
    assert set(PROMISED) - set(exported(elegy)) == set()


def test_importing_the_package_imports_no_more_than_it_needs():
    others = {"equinox", "flax", "keras", "optax.contrib", "orbax", "pandas", "rich", "safetensors", "scipy.stats"}
    others |= {"sklearn", "tensorboard", "tensorboardX", "torch", "tqdm", "urllib.request"}
    code = f"import jax, optax, sys; known = set(sys.modules); import elegy; print({others} & set(sys.modules) - known)"
    run = subprocess.run([sys.executable, "-c", code], cwd=SNAPSHOT.parent.parent, capture_output=True, text=True)
    assert run.stdout.strip() == "set()", run.stderr


@pytest.mark.parametrize("name", [name for name, value in API.items() if callable(value)])
def test_a_public_name_says_what_it_is_for_and_shows_it(name):
    doc = inspect.getdoc(API[name]) or ""
    assert doc.split("\n")[0].endswith("."), "begins with one sentence"
    assert ">>>" in doc, "has an Example that runs"


@pytest.mark.parametrize("name", [name for name, value in API.items() if inspect.ismodule(value)])
def test_a_namespace_says_what_is_in_it(name):
    assert importlib.import_module(name).__doc__


if __name__ == "__main__":
    SNAPSHOT.write_text("\n".join(sorted(API)) + "\n", encoding="utf-8")
