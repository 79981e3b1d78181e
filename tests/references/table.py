"""The table of references: rows are losses or metrics, each beside the thing of another library that it equals.

A kind is a dict of rows, `ROWS`, in a test file of this folder. A row's key has the full exported name and may go on
with words that tell a variant: `"elegy.losses.Huber delta"`. What has no reference is in `WITHOUT`, by name with the
reason. A column is a test below the rows with `@contract(ROWS)`, as in the table of contracts.
"""

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from tests.contracts.table import contract as contract


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        ours: a function that makes ours; what it takes, the kind says.
        theirs: a function that makes the reference, likewise; never a kernel that ours calls too.
        y_true: labels.
        y_pred: outputs.
        loose: by column (the test's name without `test_`) a tolerance above the usual one, and why.
        exempt: by column why it is not compared.
    """

    ours: Any
    theirs: Any
    y_true: Any
    y_pred: Any
    loose: Mapping[str, tuple[float, str]] = dataclasses.field(default_factory=dict)
    exempt: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def close(self, column, ours, theirs, tolerance=1e-5):
        """Both are equal within a tolerance, relative to their size or absolute, whichever is larger."""
        tolerance, _ = self.loose.get(column, (tolerance, ""))
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@contextlib.contextmanager
def ordinary():
    """JAX's own rules of promotion, which other libraries need where ours are strict."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def missing(namespace, rows, without):
    """The names that a package exports and that have neither a row nor a reason."""
    listed = {key.split()[0].rpartition(".")[2] for key in (*rows, *without)}
    exported = {name for name, value in vars(namespace).items() if not name.startswith("_") and callable(value)}
    return exported - listed
