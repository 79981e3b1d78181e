"""Grouped and depthwise convolutions as plain ones and as shifted products."""

import jax
import numpy as np
import pytest
from jax import lax

from elegy.compiling import ALL_RULES, rewritten
from elegy.compiling._depthwise import depthwise_convolutions, depthwise_gradients
from elegy.compiling._groups import grouped_convolutions
from tests.compiling.comparing import assert_close, counted, equations, normal, with_gradients

NHWC, NCHW = ("NHWC", "HWIO", "NHWC"), ("NCHW", "OIHW", "NCHW")


def grouped(groups, strides=(1, 1), layout=NHWC, **options):
    return with_gradients(
        lambda x, kernel: lax.conv_general_dilated(
            x, kernel, strides, "SAME", dimension_numbers=layout, feature_group_count=groups, **options
        )
    )


def group_counts(function, *args):
    made = jax.make_jaxpr(rewritten(function, ALL_RULES))(*args)
    found = [eqn.params for eqn in equations(made.jaxpr) if eqn.primitive.name == "conv_general_dilated"]
    return sorted((params["feature_group_count"], params["batch_group_count"]) for params in found)


def test_a_few_groups_become_plain_convolutions():
    args = normal(2, 5, 6, 6), normal(3, 3, 3, 4), normal(2, 5, 6, 4)
    assert group_counts(grouped(2), *args) == [(1, 1)] * 6
    assert_close(grouped(2), *args)


def test_many_groups_of_the_batch_become_groups_of_features():
    args = normal(2, 5, 4, 20), normal(3, 3, 2, 20), normal(2, 5, 4, 20)
    assert group_counts(grouped(10), *args) == [(10, 1)] * 3
    assert_close(grouped(10), *args, rules=[grouped_convolutions])


def test_channels_first_groups_with_strides():
    args = normal(2, 4, 7, 6), normal(6, 2, 3, 3), normal(2, 6, 4, 3)
    assert_close(grouped(2, (2, 2), NCHW), *args)


DEPTHWISE = {
    "plain": ((2, 6, 5, 9), (3, 3, 1, 9), (2, 6, 5, 9), {}),
    "strides": ((2, 7, 6, 9), (3, 2, 1, 9), (2, 4, 3, 9), {"strides": (2, 2)}),
    "channels first": ((2, 9, 6, 5), (9, 1, 3, 3), (2, 9, 6, 5), {"layout": NCHW}),
    "kernel dilation": ((2, 9, 8, 9), (3, 3, 1, 9), (2, 9, 8, 9), {"rhs_dilation": (2, 2)}),
    "one axis": ((2, 9, 9), (4, 1, 9), (2, 9, 9), {"strides": (1,), "layout": ("NHC", "HIO", "NHC")}),
}


@pytest.mark.parametrize("case", DEPTHWISE)
def test_depthwise_convolutions_become_shifted_products(case):
    *shapes, options = DEPTHWISE[case]
    args = [normal(*shape) for shape in shapes]
    assert counted(rewritten(grouped(9, **options), ALL_RULES), *args)["conv_general_dilated"] == 0
    assert_close(grouped(9, **options), *args)


def test_depthwise_bfloat16_is_summed_in_float32():
    x, kernel, cotangent = (normal(*shape, dtype="bfloat16") for shape in DEPTHWISE["plain"][:3])
    assert_close(grouped(9), x, kernel, cotangent, tolerance=1e-2)
    exact = grouped(9)(*(np.asarray(leaf, "float32") for leaf in (x, kernel, cotangent)))[1][1]
    ours = jax.jit(rewritten(grouped(9), ALL_RULES))(x, kernel, cotangent)[1][1]
    np.testing.assert_allclose(np.asarray(ours, "float32"), exact, rtol=5e-3, atol=1e-2)


def test_nan_and_infinity_stay_in_their_channels_and_places():
    x = normal(2, 6, 5, 9).at[0, 2, 2, 3].set(np.nan).at[1, 4, 4, 5].set(np.inf)
    assert_close(grouped(9), x, normal(3, 3, 1, 9), normal(2, 6, 5, 9))


@pytest.mark.parametrize("rule", [depthwise_convolutions, depthwise_gradients])
def test_several_outputs_for_each_channel_and_large_kernels_are_not_depthwise(rule):
    for shapes in [((1, 4, 4, 9), (3, 3, 1, 18), (1, 4, 4, 18)), ((1, 20, 20, 9), (9, 9, 1, 9), (1, 20, 20, 9))]:
        args = [normal(*shape) for shape in shapes]
        assert counted(rewritten(grouped(9), [rule]), *args)["conv_general_dilated"] == 3
