"""The layer that gives each example another shape."""

import numpy as np
import pytest

from elegy import nn

X = np.arange(24).reshape(2, 3, 4)


def test_values_keep_their_order_and_dtype():
    np.testing.assert_array_equal(nn.Reshape((2, 6))(X), X.reshape(2, 2, 6))
    np.testing.assert_array_equal(nn.Reshape((2, -1), preserve_dims=2)(X), X.reshape(2, 3, 2, 2))


def test_an_example_may_become_a_number_and_back():
    x = np.ones((5, 1), "uint8")
    assert nn.Reshape(())(x).shape == (5,)
    assert nn.Reshape((1, 1))(x[:, 0]).shape == (5, 1, 1)


def test_an_empty_batch_stays_empty():
    assert nn.Reshape((-1, 2))(X[:0]).shape == (0, 6, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.Reshape((5, -1))(X),
            r"`Reshape` was called with i32\[2,3,4\], 12 values .*\(5, -1\)\. Give a shape",
        ),
        (lambda: nn.Reshape((13,))(X), r"They do not fill output_shape=\(13,\)"),
        (lambda: nn.Reshape((2, 6), preserve_dims=4)(X), r"It takes at least 4 axes, since preserve_dims=4"),
        (lambda: nn.Reshape((-1, -1)), r"output_shape=\(-1, -1\)\. It is the shape of one example: .*\. Give a tuple"),
        (lambda: nn.Reshape((0, 3)), r"given output_shape=\(0, 3\)"),
        (lambda: nn.Reshape(12), r"given output_shape=12\."),
        (lambda: nn.Reshape((3,), preserve_dims=0), r"given preserve_dims=0\."),
    ],
)
def test_bad_input_is_an_error_that_names_the_layer(make, message):
    with pytest.raises(ValueError, match=message):
        make()
