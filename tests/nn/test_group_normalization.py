"""Normalization of groups of channels, of each channel by itself, and by the root mean square."""

import jax.numpy as jnp
import numpy as np
import pytest

from elegy import nn

X = np.random.default_rng(0).normal(2, 3, size=(2, 3, 4)).astype("float32")


@pytest.mark.parametrize("make", [lambda **given: nn.GroupNormalization(2, **given), nn.InstanceNormalization])
def test_channels_first_equals_channels_last_with_moved_axes(make):
    scale = np.array([1, 2, 3, 4], "float32")
    ours = make(scale_init=scale, data_format="channels_first")(X.transpose(0, 2, 1))
    np.testing.assert_allclose(ours.transpose(0, 2, 1), make(scale_init=scale)(X), rtol=1e-4, atol=1e-5)


def test_a_lower_dtype_computes_statistics_in_float32():
    for make in (lambda **given: nn.GroupNormalization(2, **given), nn.InstanceNormalization, nn.RMSNormalization):
        ours, expected = make(dtype=jnp.bfloat16)(X + 100), make()(X + 100)
        np.testing.assert_allclose(ours.astype(jnp.float32), expected, atol=0.02)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.GroupNormalization(3)(X),
            r"`GroupNormalization` was called with f32\[2,3,4\], which has 4 channels\. It has groups=3, .*\. Choose",
        ),
        (lambda: nn.GroupNormalization(0), r"given groups=0\."),
        (lambda: nn.GroupNormalization(2)(X[0, 0]), r"called with f32\[4\]\. It takes a batch axis and a channel axis"),
        (lambda: nn.InstanceNormalization()(X[0]), r"`InstanceNormalization` was called with f32\[3,4\]\. It takes"),
        (
            lambda: nn.RMSNormalization(2)(X[0]),
            r"`RMSNormalization` was .* with axis=\(2,\), .*\. Give axes from -2 to 1",
        ),
        (lambda: nn.RMSNormalization(create_scale=False, scale_init=jnp.ones), r"given `scale_init`\."),
    ],
)
def test_bad_input_is_an_error_that_names_the_layer(make, message):
    with pytest.raises(ValueError, match=message):
        make()
