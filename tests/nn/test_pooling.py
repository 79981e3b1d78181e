"""Pooling."""

import jax.numpy as jnp
import numpy as np
import pytest

from elegy import nn

X = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype("float32")


def test_windows_may_name_spatial_axes_all_but_the_batch_or_all():
    expected = nn.MaxPool((3, 2), (2, 1), "SAME")(X)
    np.testing.assert_array_equal(nn.MaxPool((3, 2, 1), (2, 1, 1), "SAME")(X), expected)
    np.testing.assert_array_equal(nn.MaxPool((1, 3, 2, 1), (1, 2, 1, 1), "SAME")(X), expected)


def test_the_channel_axis_is_not_pooled():
    first = nn.MaxPool(2, 2, "VALID", channel_axis=1)(X.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), nn.MaxPool(2, 2, "VALID")(X))
    assert nn.MaxPool(2, 2, "VALID", channel_axis=None)(X[..., 0]).shape == (2, 3, 3)


def test_means_leave_out_what_padding_adds():
    outputs = nn.AvgPool(2, padding="SAME")(np.arange(3.0, dtype="float32").reshape(1, 3, 1))
    assert outputs.ravel().tolist() == [0.5, 2.0]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "bool"])
def test_dtypes_are_kept(dtype):
    outputs = nn.MaxPool(2)(np.arange(4).reshape(1, 2, 2, 1).astype(dtype))
    assert outputs.dtype == jnp.dtype(dtype)
    assert outputs.item() == np.dtype(dtype).type(3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.MaxPool(0), r"`MaxPool` was given window_shape=0\."),
        (lambda: nn.MaxPool(2, (2, -1)), r"`MaxPool` was given strides=-1\."),
        (lambda: nn.MaxPool(2, 2, "FULL"), r"padding='FULL'\. It knows: SAME, VALID\. Write one of these"),
        (lambda: nn.MaxPool(2)(X[0, 0]), r"`MaxPool` was called with f32\[6,3\]\. It takes a batch axis"),
        (lambda: nn.MaxPool((2,))(X), r"window_shape=\(2,\)\. Its input f32\[2,7,6,3\] has 2 spatial axes\. Give one"),
        (
            lambda: nn.MaxPool(2, channel_axis=4)(X),
            r"channel_axis=4, which that does not have beside .*\. Give another",
        ),
        (lambda: nn.MaxPool(2, channel_axis=0)(X), r"channel_axis=0, which that does not have"),
    ],
)
def test_bad_input_is_an_error_that_names_the_layer(make, message):
    with pytest.raises(ValueError, match=message):
        make()
