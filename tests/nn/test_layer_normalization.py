"""Layer normalization."""

import jax.numpy as jnp
import numpy as np
import pytest

from elegy import nn

X = np.random.default_rng(0).normal(2, 3, size=(3, 2, 4)).astype("float32")


def test_parameters_have_the_shape_of_the_normalized_axes():
    for axis, shape in ((-1, (4,)), (1, (2,)), ((2, 1), (2, 4))):
        layer = nn.LayerNormalization(axis)
        layer(X)
        assert layer.scale.shape == layer.offset.shape == shape


def test_scale_and_offset_can_be_left_out():
    layer = nn.LayerNormalization(create_scale=False, create_offset=False)
    np.testing.assert_allclose(layer(X).mean(-1), 0, atol=1e-5)
    assert layer.parameters == {}


def test_a_lower_dtype_computes_statistics_in_float32():
    ours = nn.LayerNormalization(dtype=jnp.bfloat16)(X + 100)
    expected = nn.LayerNormalization()(X + 100)
    assert ours.dtype == jnp.bfloat16
    np.testing.assert_allclose(ours.astype(jnp.float32), expected, atol=0.02)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.LayerNormalization(eps=-1),
            r"`LayerNormalization` was given eps=-1\. .*variance of 0 .*\. Give a number",
        ),
        (
            lambda: nn.LayerNormalization(3)(X),
            r"f32\[3,2,4\]\. It was made with axis=\(3,\), .*\. Give axes from -3 to 2",
        ),
        (lambda: nn.LayerNormalization(())(X), r"It was made with axis=\(\)"),
        (lambda: nn.LayerNormalization()(jnp.array(1.0)), r"`LayerNormalization` was called with f32\[\]"),
        (lambda: nn.LayerNormalization(create_offset=False, offset_init=jnp.ones), r"given `offset_init`\."),
    ],
)
def test_bad_input_is_an_error_that_names_the_layer(make, message):
    with pytest.raises(ValueError, match=message):
        make()
