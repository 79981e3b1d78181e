"""Dropout."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import nn

ONES = np.ones(10_000, "float32")


def test_it_drops_the_rate_and_keeps_the_mean():
    outputs = np.asarray(nn.Dropout(0.3)(ONES, training=True))
    assert (outputs == 0).mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(outputs[outputs > 0], 1 / 0.7, rtol=1e-6)


def test_without_training_the_input_passes():
    np.testing.assert_array_equal(nn.Dropout(0.9)(ONES, training=False), ONES)
    np.testing.assert_array_equal(nn.Dropout(0.9).apply({}, {}, ONES)[0], ONES)


def test_a_rate_of_zero_needs_no_key():
    np.testing.assert_array_equal(nn.Dropout(0.0).apply({}, {}, ONES, training=True)[0], ONES)


def test_a_key_given_in_the_call_is_used():
    key = jax.random.key(3)
    outputs = nn.Dropout(0.5)(ONES, training=True, rng=key)
    np.testing.assert_array_equal(outputs, nn.Dropout(0.5)(ONES, training=True, rng=key))
    np.testing.assert_array_equal(outputs > 0, jax.random.bernoulli(key, 0.5, ONES.shape))


def test_a_shared_dropout_has_two_masks():
    class Twice(elegy.Module):
        def __init__(self):
            self.dropout = nn.Dropout(0.5)

        def call(self, x):
            return self.dropout(x), self.dropout(x)

    one, two = Twice()(ONES)
    assert (one != two).any()


def test_the_gradient_is_zero_where_values_were_dropped():
    key = jax.random.key(0)
    x = jnp.full(100, 3.0)
    gradient = jax.grad(lambda x: nn.Dropout(0.5).apply({}, {}, x, training=True, key=key)[0].sum())(x)
    outputs, _ = nn.Dropout(0.5).apply({}, {}, x, training=True, key=key)
    np.testing.assert_array_equal(gradient, np.where(outputs == 0, 0.0, 2.0))


def test_dtypes_are_kept_and_integers_become_floats():
    assert nn.Dropout(np.float64(0.5))(jnp.ones(3, jnp.bfloat16), training=True).dtype == jnp.bfloat16
    for training in (True, False):
        assert nn.Dropout(0.5)(jnp.ones(3, jnp.int32), training=training).dtype == jnp.float32


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, float("nan"), "0.5", True])
def test_a_rate_that_is_no_probability_is_an_error(rate):
    with pytest.raises(ValueError, match=r"`Dropout` was given rate=.*\. It is the probability .*\. Give the part"):
        nn.Dropout(rate)


def test_spatial_dropout_drops_whole_channels_of_single_examples():
    x = np.ones((40, 4, 3, 5), "float32")
    last = np.asarray(nn.SpatialDropout2D(0.25)(x, training=True))
    first = np.asarray(nn.SpatialDropout2D(0.25, "channels_first")(x.transpose(0, 3, 1, 2), training=True))
    for outputs in (last, first.transpose(0, 2, 3, 1)):
        channels = outputs[:, 0, 0]
        np.testing.assert_array_equal(outputs, np.broadcast_to(channels[:, None, None], x.shape))
        assert set(np.unique(channels)) == {0, np.float32(1 / 0.75)}
        assert 0.1 < (channels == 0).mean() < 0.4


def test_spatial_dropout_of_another_rank_is_an_error():
    with pytest.raises(
        ValueError, match=r"`SpatialDropout1D` was called with f32\[2,3\]\. It takes a batch axis, 1 sp"
    ):
        nn.SpatialDropout1D(0.5)(np.ones((2, 3), "float32"))
    with pytest.raises(ValueError, match=r"`SpatialDropout3D` was given rate=-0\.5\."):
        nn.SpatialDropout3D(-0.5)
