"""Pooling over whole sequences, images and volumes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy import nn

X = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")


def test_only_places_that_the_mask_shows_count():
    mask = X[..., 0] > 0
    for layer, reduced in ((nn.GlobalAveragePooling2D(), np.mean), (nn.GlobalMaxPooling2D(), np.max)):
        expected = [reduced(x[shown], 0) for x, shown in zip(X, mask, strict=True)]
        np.testing.assert_allclose(layer(X, mask=mask), expected, rtol=1e-5)


@pytest.mark.parametrize("layer", [nn.GlobalAveragePooling1D(), nn.GlobalMaxPooling1D()], ids=["average", "max"])
def test_an_example_without_any_place_gives_zero_and_no_gradient(layer):
    mask = np.zeros((3, 4))
    outputs, gradient = jax.value_and_grad(lambda x: layer(x, mask=mask).sum())(jnp.asarray(X[0]))
    assert outputs == 0 and not gradient.any()


def test_channels_first_and_kept_axes():
    layer = nn.GlobalMaxPooling2D("channels_first", keepdims=True)
    np.testing.assert_array_equal(layer(X.transpose(0, 3, 1, 2)), X.max((1, 2))[:, :, None, None])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.GlobalAveragePooling1D()(X),
            r"`GlobalAveragePooling1D` was called with f32\[2,3,4,5\]\. It takes a batch axis, 1 spatial .*\. Reshape",
        ),
        (lambda: nn.GlobalMaxPooling2D()(X[:, :0]), r"f32\[2,0,4,5\]\. It has no places to pool over\. Give a longer"),
        (
            lambda: nn.GlobalMaxPooling2D()(X, mask=np.ones((2, 3), "float32")),
            r"and a mask f32\[2,3\]\. A mask says of each place whether it counts\. Give one of shape \(2, 3, 4\)",
        ),
        (lambda: nn.GlobalMaxPooling2D("NWC"), r"data_format='NWC'\. It knows"),
        (lambda: nn.GlobalMaxPooling2D(keepdims=1), r"keepdims=1\. It is a switch"),
    ],
)
def test_bad_input_is_an_error_that_names_the_layer(make, message):
    with pytest.raises(ValueError, match=message):
        make()
