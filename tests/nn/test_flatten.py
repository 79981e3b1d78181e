"""Flatten."""

import jax.numpy as jnp
import numpy as np
import pytest

from elegy import nn


def test_everything_but_the_batch_becomes_one_axis():
    x = np.arange(24).reshape(2, 3, 4)
    outputs = nn.Flatten()(x)
    np.testing.assert_array_equal(outputs, x.reshape(2, 12))
    assert outputs.dtype == jnp.int32


def test_more_leading_axes_may_stay():
    assert nn.Flatten(preserve_dims=2)(np.ones((2, 3, 4, 5), "float32")).shape == (2, 3, 20)
    assert nn.Flatten(preserve_dims=2)(np.ones((2, 3), "float32")).shape == (2, 3)


def test_an_empty_batch_keeps_its_features():
    assert nn.Flatten()(np.ones((0, 3, 4), "float32")).shape == (0, 12)


def test_bad_input_is_an_error_that_names_the_layer():
    with pytest.raises(ValueError, match=r"`Flatten` was given preserve_dims=0\."):
        nn.Flatten(0)
    with pytest.raises(
        ValueError, match=r"called with f32\[2\]\. It takes at least 2 axes, since preserve_dims=2\. Reshape"
    ):
        nn.Flatten(2)(np.ones(2, "float32"))
