"""Pooling and its gradient on whole arrays."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from elegy.compiling import ALL_RULES, rewritten
from elegy.compiling._pass import rewrite
from tests.compiling.comparing import assert_close, both, counted, normal, with_gradients

SLOW = {"reduce_window_max", "reduce_window_min", "reduce_window_sum", "select_and_scatter_add"}


def pool(reducer, window, strides, padding="VALID"):
    start = {lax.max: -jnp.inf, lax.min: jnp.inf, lax.add: 0.0}[reducer]
    return lambda x: lax.reduce_window(x, np.asarray(start, x.dtype)[()], reducer, window, strides, padding)


def arguments(function, x):
    return x, normal(*jax.eval_shape(function, x).shape, dtype=x.dtype)


CASES = {
    "overlap": (lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "SAME"),
    "no overlap": (lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"),
    "channels first": (lax.max, (1, 1, 2, 3), (1, 1, 2, 3), "SAME"),
    "gaps": (lax.max, (1, 1, 2, 1), (1, 3, 3, 1), "VALID"),
    "smallest": (lax.min, (1, 2, 3, 1), (1, 1, 2, 1), "SAME"),
    "sum": (lax.add, (1, 3, 3, 1), (1, 1, 2, 1), "SAME"),
}


@pytest.mark.parametrize("case", CASES)
def test_results_and_gradients(case):
    function = pool(*CASES[case])
    args = arguments(function, jax.nn.relu(normal(2, 7, 6, 4)))  # with ties, the first of which gets the gradient
    assert_close(with_gradients(function), *args)


@pytest.mark.parametrize("case", ["overlap", "smallest", "sum"])
def test_overlapping_windows_have_no_slow_operations_left(case):
    function = pool(*CASES[case])
    args = arguments(function, normal(2, 7, 6, 4))
    assert SLOW & set(counted(with_gradients(function), *args))
    assert not SLOW & set(counted(rewritten(with_gradients(function), ALL_RULES), *args))


@pytest.mark.parametrize("case", ["overlap", "no overlap"])
def test_nan_and_infinity_stay_where_they_were(case):
    x = normal(2, 7, 6, 4).at[0, 2, 3, 0].set(np.nan).at[0, 2, 2, 1].set(np.inf).at[1, :, :, 2].set(-np.inf)
    function = pool(*CASES[case])
    assert_close(with_gradients(function), *arguments(function, x))


def test_bfloat16():
    for case in ("overlap", "sum"):
        function = pool(*CASES[case])
        assert_close(
            with_gradients(function), *arguments(function, normal(2, 7, 6, 4, dtype="bfloat16")), tolerance=2e-2
        )


def test_gradients_without_overlap_are_the_same_bits():
    function = pool(*CASES["no overlap"])
    plain, other = both(with_gradients(function), *arguments(function, normal(2, 7, 6, 4)))
    np.testing.assert_array_equal(other[1], plain[1])


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    window=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    padding=st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2),
)
def test_any_window_gives_the_plain_gradient(window, strides, padding):
    padding = tuple(
        (min(low, size - 1), min(high, size - 1)) for (low, high), size in zip(padding, window, strict=True)
    )
    function = pool(lax.max, (1, *window), (1, *strides), ((0, 0), *padding))
    assert_close(with_gradients(function), *arguments(function, jax.nn.relu(normal(2, 6, 5))))


LEFT = {
    "large windows": lambda x: pool(lax.max, (1, 6, 6, 1), (1, 1, 1, 1))(x),
    "sums of few": lambda x: pool(lax.add, (1, 2, 2, 1), (1, 1, 1, 1))(x),
    "averages without overlap": lambda x: pool(lax.add, (1, 3, 3, 1), (1, 3, 3, 1))(x),
    "integers": lambda x: lax.reduce_window(x.astype("int32"), 0, lax.max, (1, 3, 3, 1), (1, 1, 1, 1), "VALID"),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_gains_nothing_is_left_alone(case):
    traced = jax.make_jaxpr(LEFT[case])(normal(2, 7, 6, 4))
    assert rewrite(traced, ALL_RULES) is traced
