"""Docstrings say what a reader needs, and the pages made of them are current and name everything that is exported."""

import ast
import importlib.util
import inspect
import re
import textwrap
from pathlib import Path

import pytest

from tests.test_public_api import API

FOLDER = Path(__file__).parent.parent / "docs"
SPEC = importlib.util.spec_from_file_location("generate_api", FOLDER / "generate_api.py")
GENERATE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(GENERATE)

ARRAYS = {"x", "y", "y_true", "y_pred", "values", "sample_weight"}
THINGS = {name: value for name, value in API.items() if not inspect.ismodule(value)}


def with_methods():
    """By name each function and class, and the methods that have a page entry of their own."""
    found = dict(THINGS)
    for name, value in THINGS.items():
        if inspect.isclass(value):
            methods = GENERATE.methods_of(value)
            found |= {f"{name}.{each}": m for each, m in methods.items() if not isinstance(m, property)}
    return found


DOCUMENTED = with_methods()


def section(value, title):
    """The text of one section of a docstring; empty if there is none."""
    doc = inspect.getdoc(value) or ""
    found = re.search(rf"^{title}:\n((?:    .*\n|\n)*)", doc + "\n", re.MULTILINE)
    return textwrap.dedent(found[1]) if found else ""


def described(value):
    """By parameter what its entry under Args or Attributes says; entries may name several."""
    text = section(value, "Args") + section(value, "Attributes")
    entries = re.findall(r"^(\S[^:\n]*): ((?:.*)(?:\n[ ]+.*)*)", text, re.MULTILINE)
    return {name.strip().lstrip("*"): what for names, what in entries for name in names.split(",")}


def parameters(value):
    """The names of what a function, or a class's own constructor, takes; protocols and errors take nothing."""
    if inspect.isclass(value) and ("__init__" not in vars(value) or getattr(value, "_is_protocol", False)):
        return []
    found = GENERATE.definition(value)
    if found is None:
        return [field.partition("=")[0] for field in GENERATE.fields_of(value)]
    arguments = found.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def raises(value):
    """Whether a function, or a class's own constructor, has a `raise` in its body, outside of inner functions."""
    is_function = not inspect.isclass(value) or (
        "__init__" in vars(value) and not getattr(value, "_is_protocol", False)
    )
    found = GENERATE.definition(value) if is_function else None
    todo = list(found.body) if found is not None else []
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Raise):
            return True
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return False


@pytest.mark.parametrize("name", THINGS)
def test_a_docstring_says_what_each_argument_is(name):
    missing = [each for each in parameters(THINGS[name]) if each not in described(THINGS[name])]
    assert missing == [], f"{name}: add to its `Args:`"


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_docstring_gives_the_shapes_of_arrays(name):
    shapeless = [
        argument for argument, what in described(DOCUMENTED[name]).items() if argument in ARRAYS and not has_shape(what)
    ]
    assert shapeless == [], f"{name}: write the shape, like `(batch, *d)`, or of which argument it has the shape"


def has_shape(what):
    return re.search(r"`\(.*\)`|same shape|scalar|as for `|of them", what, re.DOTALL) is not None


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_docstring_says_which_errors_its_code_raises(name):
    value = DOCUMENTED[name]
    assert section(value, "Raises") or "Refused with a" in inspect.getdoc(value) or not raises(value)


def test_the_pages_are_current():
    written = {file.name: file.read_text(encoding="utf-8") for file in (FOLDER / "api").glob("*.md")}
    assert written == GENERATE.pages(), "docstrings have changed: make api"


@pytest.mark.parametrize("name", THINGS)
def test_an_export_is_on_the_page_of_its_namespace(name):
    namespace, _, own = name.rpartition(".")
    assert f"- [`{own}`]" in (FOLDER / "api" / f"{namespace}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted((FOLDER / "api").glob("*.md")), ids=lambda page: page.name)
def test_links_of_a_page_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\(([^)#]*\.md)?#?([^)]*)\)", page.read_text(encoding="utf-8")):
        text = (page.parent / (target or page.name)).read_text(encoding="utf-8")
        headings = [heading.lower() for heading in re.findall(r"^## (.*)$", text, re.MULTILINE)]
        assert not anchor or anchor.removesuffix("-1") in headings
