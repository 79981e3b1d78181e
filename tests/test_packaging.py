"""What the package says of itself, and the files that a fresh clone is installed from."""

import tomllib
from pathlib import Path

import elegy

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_version_is_the_same_in_the_package_and_in_its_metadata():
    assert PROJECT["version"] == elegy.__version__


def test_the_hard_dependencies_are_these_with_lower_bounds_only():
    names = {requirement.split(">=")[0] for requirement in PROJECT["dependencies"]}
    assert names == {"jax", "numpy", "optax", "orbax-checkpoint", "rich", "safetensors"}
    assert not [r for r in PROJECT["dependencies"] if any(sign in r for sign in ("<", "==", "!=", "~="))]


def test_type_checkers_find_the_annotations():
    assert (ROOT / "elegy" / "py.typed").is_file()


def test_the_development_versions_name_no_host():
    assert "://" not in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
