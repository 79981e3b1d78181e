"""The notes that tell which `raise` statements were reached change nothing else."""

import ast
import traceback

import pytest

from tests.raises import NOTE, Noting, every_raise

SOURCE = """
def known():
    raise ValueError("a")

def again():
    try:
        known()
    except ValueError:
        raise

def chained():
    try:
        known()
    except ValueError as error:
        raise KeyError("b") from error
"""


@pytest.fixture
def noted():
    """The functions of the source above, and the places that they noted."""
    places = []

    def note(file, line, error=None):
        places.append((file, line))
        return error

    namespace = {NOTE: note}
    exec(compile(Noting("a.py").visit(ast.parse(SOURCE)), "a.py", "exec"), namespace)
    return namespace, places


@pytest.mark.parametrize(
    ("name", "kind", "lines"),
    [("known", ValueError, [3]), ("again", ValueError, [3, 9]), ("chained", KeyError, [3, 15])],
)
def test_a_raise_is_noted_where_it_stands_and_raises_the_same(noted, name, kind, lines):
    namespace, places = noted
    with pytest.raises(kind) as caught:
        namespace[name]()
    assert places == [("a.py", line) for line in lines]
    assert traceback.extract_tb(caught.value.__traceback__)[1].lineno in (lines[-1], 7)
    assert (caught.value.__cause__ is not None) == (name == "chained")


def test_the_list_has_every_raise_of_the_package():
    assert len(every_raise()) > 200 and all(text.startswith("raise") for text in every_raise().values())
