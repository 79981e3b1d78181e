"""The place of the largest value, found by comparison."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from elegy.compiling import ALL_RULES, rewritten
from elegy.compiling._pass import rewrite
from tests.compiling.comparing import counted, normal

ROWS = {
    "random": {},
    "ties": {5: 9.0, 40: 9.0, 6: -9.0, 41: -9.0},
    "nan": {30: np.nan, 50: np.nan, 3: np.inf, 4: -np.inf},
    "infinity": {20: np.inf, 21: np.inf, 60: -np.inf, 61: -np.inf},
    "nan first": {0: np.nan},
    "nan last": {69: np.nan},
}


def table(dtype):
    rows = rs_rows = np.random.RandomState(0).randn(len(ROWS) + 3, 70)
    for row, places in zip(rs_rows, ROWS.values(), strict=False):
        row[list(places)] = list(places.values())
    rows[-3:] = np.array([-np.inf, np.inf, 0])[:, None]
    return jnp.asarray(rows, dtype)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("function", [jnp.argmax, jnp.argmin])
def test_ties_nan_and_infinity_are_those_of_jax(function, dtype):
    def find(x):
        return function(x, axis=-1)

    assert counted(rewritten(find, ALL_RULES), table(dtype))[function.__name__] == 0
    found = jax.jit(rewritten(find, ALL_RULES))(table(dtype))
    assert found.dtype == "int32" and not found.weak_type
    np.testing.assert_array_equal(found, jax.jit(find)(table(dtype)))
    np.testing.assert_array_equal(found, getattr(np, function.__name__)(np.asarray(table(dtype), "float32"), -1))


def test_other_index_dtypes_stay():
    find = rewritten(lambda x: lax.argmax(x, 1, "uint8"), ALL_RULES)
    assert find(normal(2, 100)).dtype == "uint8"


LEFT = {
    "integers": (jnp.zeros((2, 100), "int32"), 1, "int32"),
    "truth values": (jnp.zeros((2, 100), "bool"), 1, "int32"),
    "few values": (jnp.zeros((100, 10)), 1, "int32"),
    "another axis": (jnp.zeros((100, 100)), 0, "int32"),
    "more places than numbers": (jnp.zeros((2, 300)), 1, "uint8"),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_gains_nothing_is_left_alone(case):
    x, axis, dtype = LEFT[case]
    traced = jax.make_jaxpr(lambda x: lax.argmax(x, axis, dtype))(x)
    assert rewrite(traced, ALL_RULES) is traced
