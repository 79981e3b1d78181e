"""Input gradients of strided convolutions, without multiplications by zeros."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from elegy.compiling import ALL_RULES, rewritten
from elegy.compiling import _phases as phases
from elegy.compiling._pass import rewrite
from tests.compiling.comparing import assert_close, counted, equations, normal

NHWC, NCHW = ("NHWC", "HWIO", "NHWC"), ("NCHW", "OIHW", "NCHW")
RULES = (phases.convolution_phases,)


def input_gradient(strides, padding="SAME", layout=NHWC, **options):
    def gradient(x, kernel, cotangent):
        def convolve(x):
            return lax.conv_general_dilated(x, kernel, strides, padding, dimension_numbers=layout, **options)

        return jax.linear_transpose(convolve, x)(cotangent)[0]

    return gradient


def dilations(function, *args):
    made = jax.make_jaxpr(rewritten(function, RULES))(*args)
    return [eqn.params["lhs_dilation"] for eqn in equations(made.jaxpr) if "lhs_dilation" in eqn.params]


def test_a_stride_of_two_becomes_four_dense_convolutions():
    args = normal(8, 16, 16, 16), normal(3, 3, 16, 16), normal(8, 8, 8, 16)
    assert dilations(input_gradient((2, 2)), *args) == [(1, 1)] * 4
    assert_close(input_gradient((2, 2)), *args, rules=RULES)


def test_channels_first_and_odd_sizes():
    args = normal(8, 16, 17, 15), normal(16, 16, 4, 5), normal(8, 16, 7, 6)
    assert dilations(input_gradient((2, 2), "VALID", NCHW), *args) == [(1, 1)] * 4
    assert_close(input_gradient((2, 2), "VALID", NCHW), *args)


def test_nan_and_infinity_stay_where_they_were():
    cotangent = normal(8, 8, 8, 16).at[0, 2, 3, 4].set(np.nan).at[1, 5, 5, 0].set(np.inf)
    assert_close(input_gradient((2, 2)), normal(8, 16, 16, 16), normal(3, 3, 16, 16), cotangent)


def test_bfloat16():
    args = [normal(*shape, dtype="bfloat16") for shape in [(8, 16, 16, 16), (3, 3, 16, 16), (8, 8, 8, 16)]]
    assert_close(input_gradient((2, 2)), *args, tolerance=1e-2)


def test_transposed_convolutions_and_the_gradients_of_their_kernels():
    def back(x, kernel, cotangent):
        def convolve(x, kernel):
            return lax.conv_transpose(x, kernel, (2, 2), "SAME", dimension_numbers=NHWC)

        return jax.vjp(convolve, x, kernel)[1](cotangent)

    args = normal(8, 8, 8, 16), normal(4, 4, 16, 16), normal(8, 16, 16, 16)
    assert (2, 2) not in dilations(back, *args)
    assert_close(back, *args, rules=RULES, tolerance=1e-5)


LEFT = {
    "small": ((2, 8, 8, 2), (3, 3, 2, 2), (2, 4, 4, 2), {}),
    "one phase of four meets a kernel": ((8, 32, 32, 32), (1, 1, 32, 32), (8, 16, 16, 32), {}),
    "kernel dilation": ((8, 16, 16, 16), (3, 3, 16, 16), (8, 8, 8, 16), {"rhs_dilation": (2, 2)}),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_gains_nothing_is_left_alone(case):
    *shapes, options = LEFT[case]
    traced = jax.make_jaxpr(input_gradient((2, 2), **options))(*(normal(*shape) for shape in shapes))
    assert rewrite(traced, RULES) is traced


def test_many_phases_and_a_single_strided_axis_are_left_alone():
    wide = normal(8, 40, 40, 16), normal(5, 5, 16, 16), normal(8, 8, 8, 16)
    assert dilations(input_gradient((5, 5)), *wide) == [(5, 5)]
    narrow = normal(8, 16, 16, 16), normal(3, 3, 16, 16), normal(8, 8, 16, 16)
    assert dilations(input_gradient((2, 1)), *narrow) == [(2, 1)]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    taps=st.tuples(st.integers(2, 5), st.integers(2, 5)),
    steps=st.tuples(st.integers(2, 4), st.integers(2, 3)),
    padding=st.tuples(*[st.tuples(st.integers(0, 5), st.integers(0, 5))] * 2),
)
def test_any_shape_gives_the_plain_result(size, taps, steps, padding):
    x, kernel = normal(2, *size, 3), normal(*taps, 3, 2)

    def convolve(x, kernel):
        return lax.conv_general_dilated(x, kernel, (1, 1), padding, lhs_dilation=steps, dimension_numbers=NHWC)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phases, "_LEAST", 0)
        assert_close(convolve, x, kernel, rules=RULES)


def test_all_rules_together_leave_only_canonical_dense_convolutions():
    gradient = input_gradient((2, 2), "SAME", NCHW)
    args = normal(8, 16, 16, 16), normal(16, 16, 3, 3), normal(8, 16, 8, 8)
    assert counted(rewritten(gradient, ALL_RULES), *args)["conv_general_dilated"] == 4
