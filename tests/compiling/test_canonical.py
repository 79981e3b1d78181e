"""Convolutions in the canonical layout give the same bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from elegy.compiling import LAYOUT_ONLY, rewritten
from elegy.compiling._layout import canonical_numbers
from elegy.compiling._pass import rewrite
from tests.compiling.comparing import both, equations, normal, with_gradients

NHWC, NCHW = ("NHWC", "HWIO", "NHWC"), ("NCHW", "OIHW", "NCHW")
CASES = {
    "one axis": ((2, 9, 3), (3, 3, 4), {"window_strides": (1,), "dimension_numbers": ("NHC", "HIO", "NHC")}),
    "strides": ((2, 7, 5, 3), (3, 2, 3, 4), {"window_strides": (2, 3), "dimension_numbers": NHWC}),
    "three axes": ((1, 4, 5, 3, 2), (2, 2, 2, 2, 3), {"window_strides": (1,) * 3, "dimension_numbers": None}),
    "channels first": ((2, 3, 6, 5), (4, 3, 3, 3), {"window_strides": (1, 1), "dimension_numbers": NCHW}),
    "kernel dilation": ((2, 9, 8, 3), (3, 3, 3, 4), {"rhs_dilation": (2, 2), "dimension_numbers": NHWC}),
    "transposed": ((2, 4, 5, 3), (3, 3, 3, 4), {"lhs_dilation": (2, 2), "dimension_numbers": NHWC}),
    "groups": ((2, 6, 5, 4), (3, 3, 2, 6), {"feature_group_count": 2, "dimension_numbers": NHWC}),
    "depthwise": ((2, 6, 5, 3), (3, 3, 1, 6), {"feature_group_count": 3, "dimension_numbers": NHWC}),
    "groups of the batch": ((4, 6, 5, 3), (3, 3, 3, 4), {"batch_group_count": 2, "dimension_numbers": NHWC}),
}


def convolution(options):
    options = {"window_strides": (1, 1), "padding": "VALID", **options}
    if options["dimension_numbers"] is None:
        options["dimension_numbers"] = ("NDHWC", "DHWIO", "NDHWC")
    if "lhs_dilation" in options:
        options["padding"] = ((2, 1), (1, 2))
    return lambda x, kernel: lax.conv_general_dilated(x, kernel, **options)


def example(case, dtype="float32"):
    """A convolution with gradients, and what to call it with."""
    x_shape, kernel_shape, options = CASES[case]
    convolve, x, kernel = convolution(options), normal(*x_shape, dtype=dtype), normal(*kernel_shape, dtype=dtype)
    return with_gradients(convolve), (x, kernel, normal(*jax.eval_shape(convolve, x, kernel).shape, dtype=dtype))


def assert_all_canonical(function, *args):
    made = rewrite(jax.make_jaxpr(function)(*args), LAYOUT_ONLY)
    found = [eqn for eqn in equations(made.jaxpr) if eqn.primitive.name == "conv_general_dilated"]
    assert found
    for eqn in found:
        assert eqn.params["dimension_numbers"] == canonical_numbers(eqn.invars[0].aval.ndim)


@pytest.mark.parametrize("case", CASES)
def test_results_and_gradients_are_the_same_bits(case):
    function, args = example(case)
    assert_all_canonical(function, *args)
    for plain, other in zip(*both(function, *args, rules=LAYOUT_ONLY), strict=True):
        np.testing.assert_array_equal(other, plain)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_gives_the_same_bits(dtype):
    function, args = example("channels first", dtype)
    for plain, other in zip(*both(function, *args, rules=LAYOUT_ONLY), strict=True):
        np.testing.assert_array_equal(other, plain)


def test_gradients_of_gradients_are_canonical_and_the_same_bits():
    def penalty(kernel, x):
        def output(x):
            return jnp.sum(jnp.tanh(convolution({"dimension_numbers": NCHW})(x, kernel)))

        return jnp.sum(jax.grad(output)(x) ** 2)

    args = normal(2, 3, 2, 2), normal(1, 3, 5, 5)
    assert_all_canonical(jax.grad(penalty), *args)
    plain, other = both(jax.grad(penalty), *args, rules=LAYOUT_ONLY)
    np.testing.assert_array_equal(other[0], plain[0])


def test_loops_have_the_results_of_single_steps():
    function, (x, kernel, cotangent) = example("strides")

    def step(kernel):
        return kernel - 0.1 * function(x, kernel, cotangent)[1][1]

    looped = rewritten(lambda kernel: lax.fori_loop(0, 3, lambda _, kernel: step(kernel), kernel), LAYOUT_ONLY)
    single = kernel
    for _ in range(3):
        single = jax.jit(step)(single)
    np.testing.assert_allclose(jax.jit(looped)(kernel), single, rtol=1e-5, atol=1e-5)


def test_what_is_canonical_stays_the_very_same_object():
    def forward(x, kernel):
        return convolution({"dimension_numbers": NHWC})(x, kernel)

    traced = jax.make_jaxpr(forward)(normal(1, 4, 4, 2), normal(3, 3, 2, 2))
    assert rewrite(traced, LAYOUT_ONLY) is traced


@pytest.mark.parametrize("dtype", ["int32", "complex64"])
def test_dtypes_without_fast_code_are_left_alone(dtype):
    x, kernel = jnp.zeros((1, 2, 4, 4), dtype), jnp.zeros((2, 2, 3, 3), dtype)
    traced = jax.make_jaxpr(convolution({"dimension_numbers": NCHW}))(x, kernel)
    assert rewrite(traced, LAYOUT_ONLY) is traced


def test_empty_batches_and_inputs_without_spatial_axes_are_left_alone():
    empty = jax.make_jaxpr(convolution({"dimension_numbers": NCHW}))(jnp.zeros((0, 2, 4, 4)), jnp.zeros((2, 2, 3, 3)))
    flat = jax.make_jaxpr(lambda x, kernel: lax.conv(x, kernel, (), "VALID"))(jnp.zeros((2, 3)), jnp.zeros((4, 3)))
    assert rewrite(empty, LAYOUT_ONLY) is empty
    assert rewrite(flat, LAYOUT_ONLY) is flat
