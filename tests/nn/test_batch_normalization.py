"""Batch normalization and its running averages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import nn
from elegy.module import as_functional

X = np.random.default_rng(0).normal(2, 3, size=(6, 3, 4)).astype("float32")


def test_the_first_update_counts_in_full():
    normalize = nn.BatchNormalization(decay_rate=0.9)
    normalize(X, training=True)
    np.testing.assert_allclose(normalize.mean_ema.average, X.mean((0, 1)), rtol=1e-4)
    np.testing.assert_allclose(normalize.var_ema.average, X.var((0, 1)), rtol=1e-4)


def test_running_averages_are_weighted_means_of_all_batches():
    batches = [X + shift for shift in (0.0, 1.0, -2.0)]
    normalize = nn.BatchNormalization(decay_rate=0.9)
    for batch in batches:
        normalize(batch.astype("float32"), training=True)
    weights = np.array([0.9**2, 0.9, 1])
    expected = sum(w * b.mean((0, 1)) for w, b in zip(weights, batches, strict=True)) / weights.sum()
    np.testing.assert_allclose(normalize.mean_ema.average, expected, rtol=1e-4)
    assert normalize.mean_ema.counter == 3
    assert normalize.mean_ema.counter.dtype == jnp.int32


def test_a_decay_rate_near_one_is_debiased_exactly():
    normalize = nn.BatchNormalization(decay_rate=0.99999)
    normalize(X, training=True)
    np.testing.assert_allclose(normalize.mean_ema.average, X.mean((0, 1)), rtol=1e-5)


def test_a_decay_rate_of_zero_keeps_the_last_batch():
    normalize = nn.BatchNormalization(decay_rate=0.0)
    normalize(X, training=True)
    normalize(X + 1, training=True)
    np.testing.assert_allclose(normalize.mean_ema.average, X.mean((0, 1)) + 1, rtol=1e-4)


def test_states_have_clear_names_and_the_shape_of_the_channels():
    parameters, states = nn.BatchNormalization().init(jax.random.key(0), X)
    shapes = jax.tree.map(jnp.shape, {"parameters": parameters, **states})
    ema = {"average": (4,), "hidden": (4,), "counter": ()}
    assert shapes == {"parameters": {"scale": (4,), "offset": (4,)}, "mean_ema": ema, "var_ema": ema}


def test_called_first_without_training_it_passes_its_input():
    normalize = nn.BatchNormalization()
    np.testing.assert_allclose(normalize(X, training=False), X, rtol=1e-4)
    assert normalize.mean_ema.counter == 0


def test_without_training_the_running_averages_are_used_and_stay():
    normalize = nn.BatchNormalization()
    normalize(X, training=True)
    outputs = normalize(X[:1], training=False)
    expected = (X[:1] - X.mean((0, 1))) / np.sqrt(X.var((0, 1)) + 1e-5)
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-4)
    assert normalize.mean_ema.counter == 1


def test_the_call_argument_wins_over_the_mode():
    class Net(elegy.Module):
        def __init__(self):
            self.normalize = nn.BatchNormalization()

        def call(self, x):
            return self.normalize(x, training=True)

    net = Net()
    parameters, states = net.init(jax.random.key(0), X)
    _, after = net.apply(parameters, states, X, training=False)
    assert after["normalize"]["mean_ema"]["counter"] == 1


def test_a_frozen_layer_keeps_its_averages_even_if_its_parent_says_training():
    class Net(elegy.Module):
        def call(self, x, training):
            return nn.BatchNormalization()(x, training)

    functional = as_functional(Net())
    made = functional.init(jax.random.key(0), X)
    for frozen, count in (((), 1), (("batch_normalization",), 0)):
        after = functional.apply(made.parameters, made.states, X, key=None, training=True, frozen=frozen).states
        assert after["batch_normalization"]["mean_ema"]["counter"] == count


def test_channels_first_equals_channels_last_with_moved_axes():
    expected = nn.BatchNormalization()(X, training=True)
    ours = nn.BatchNormalization(data_format="channels_first")(X.transpose(0, 2, 1), training=True)
    np.testing.assert_allclose(ours.transpose(0, 2, 1), expected, rtol=1e-4, atol=1e-5)


def test_axis_says_what_the_mean_is_taken_over():
    normalize = nn.BatchNormalization(axis=0)
    outputs = normalize(X, training=True)
    np.testing.assert_allclose(outputs, (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-5), rtol=1e-3, atol=1e-4)
    assert normalize.scale.shape == (3, 4)


def test_a_lower_dtype_computes_statistics_in_float32():
    normalize = nn.BatchNormalization(dtype=jnp.bfloat16)
    assert normalize(X + 100, training=True).dtype == jnp.bfloat16
    assert normalize.scale.dtype == jnp.float32
    np.testing.assert_allclose(normalize.mean_ema.average, X.mean((0, 1)) + 100, rtol=1e-5)


def test_scale_and_offset_can_be_left_out():
    parameters, _ = nn.BatchNormalization(create_scale=False, create_offset=False).init(jax.random.key(0), X)
    assert parameters == {}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.BatchNormalization(decay_rate=1.0), r"`BatchNormalization` was given decay_rate=1.0\. .*\. Give"),
        (lambda: nn.BatchNormalization(decay_rate=-0.1), r"decay_rate=-0.1\."),
        (
            lambda: nn.BatchNormalization(eps=0),
            r"`BatchNormalization` was given eps=0\. .*variance of 0 .*\. Give a number",
        ),
        (
            lambda: nn.BatchNormalization(create_scale=False, scale_init=jnp.ones),
            r"given `scale_init`\. With create_scale",
        ),
        (
            lambda: nn.BatchNormalization(data_format="NWC"),
            r"data_format='NWC'\. It knows: channels_last, channels_first",
        ),
        (
            lambda: nn.BatchNormalization()(jnp.ones(3)),
            r"called with f32\[3\]\. It takes a batch axis and a channel axis",
        ),
        (lambda: nn.BatchNormalization(axis=3)(X), r"f32\[6,3,4\]\. It was made with axis=\(3,\), .*\. Give the axes"),
        (lambda: nn.BatchNormalization(axis=1)(X), r"with the batch axis 0 among them\. Give the axes"),
    ],
)
def test_bad_input_is_an_error_that_names_the_layer(make, message):
    with pytest.raises(ValueError, match=message):
        make()
