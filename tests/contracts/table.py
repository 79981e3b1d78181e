"""The table of contracts: rows are what the package exports, columns what each thing of a kind keeps.

A kind is a dict of rows, `ROWS`, in a test file of this folder. A row's key has the full exported name, or several with
commas between them, and may go on with words that tell a variant: `"elegy.metrics.F1 macro"`. A column is a test below
the rows with `@contract(ROWS)`.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import pytest


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        make: a function that makes the thing anew; what it takes, the kind says.
        given: what the thing is used with, as the kind says.
        exempt: by contract (the test's name without `test_`) why it cannot be kept.
    """

    make: Any
    given: Any = None
    exempt: Mapping[str, str] = dataclasses.field(default_factory=dict)


def contract(rows):
    """Run a test once for each row, as `row`, or as `key` and `row` if it asks for both; exempt rows are left out.

    The test's attribute `cells` has all keys, and by key the reasons of those that are exempt.
    """

    def decorated(test):
        name = test.__name__.removeprefix("test_")
        exempt = {key: row.exempt[name] for key, row in rows.items() if name in row.exempt}
        test.cells = tuple(rows), exempt
        cells = [key for key in rows if key not in exempt]
        if "key" in test.__code__.co_varnames[: test.__code__.co_argcount]:
            return pytest.mark.parametrize(("key", "row"), [(key, rows[key]) for key in cells], ids=cells)(test)
        return pytest.mark.parametrize("row", [rows[key] for key in cells], ids=cells)(test)

    return decorated


def log_name(key):
    """The row's key as a log is called."""
    return key.replace(".", "_").replace(" ", "_")


def close(ours, theirs, rtol=1e-5):
    """Two trees of arrays are equal but for rounding."""
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-6), ours, theirs)


def types(tree):
    """Structure, shapes and dtypes of a tree of arrays."""
    return jax.tree.structure(tree), [jax.typeof(jax.numpy.asarray(leaf)) for leaf in jax.tree.leaves(tree)]


def part(tree, number):
    """One element of every array."""
    return jax.tree.map(lambda leaf: leaf[number], tree)


class Counted:
    """A function that counts how often it is traced.

    Args:
        function: what is called.
    """

    def __init__(self, function):
        functools.update_wrapper(self, function)  # so that its arguments' names are seen
        self.function, self.traces = function, 0

    def __call__(self, *args, **kwargs):
        self.traces += 1
        return self.function(*args, **kwargs)
