"""The fully connected layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import nn

X = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")


def test_without_bias_there_is_no_b():
    linear = nn.Linear(3, with_bias=False)
    linear(X)
    assert list(linear.parameters) == ["w"]


def test_weights_are_a_truncated_normal_by_the_number_of_inputs_and_biases_zero():
    linear = nn.Linear(200)
    linear(np.zeros((1, 400), "float32"))
    assert abs(linear.w).max() <= 2 / 20
    assert np.std(linear.w) == pytest.approx(0.88 / 20, rel=0.02)
    assert not linear.b.any()


def test_an_initial_value_may_be_an_array():
    linear = nn.Linear(2, w_init=np.eye(2, dtype="float32"))
    assert linear(jnp.array([[3.0, 4.0]])).tolist() == [[3.0, 4.0]]


def test_integers_are_converted():
    assert nn.Linear(2)(np.ones((1, 3), "uint8")).dtype == jnp.float32


def test_it_computes_in_its_dtype():
    linear = nn.Linear(2, dtype=jnp.bfloat16)
    assert linear(X).dtype == jnp.bfloat16
    assert linear.w.dtype == jnp.float32


def test_it_computes_in_the_dtype_of_its_parameters():
    linear = nn.Linear(2, param_dtype=jnp.bfloat16)
    assert linear(X).dtype == jnp.bfloat16
    assert linear.w.dtype == jnp.bfloat16


def test_it_takes_a_single_example():
    linear = nn.Linear(2)
    np.testing.assert_allclose(linear(X)[1], linear(X[1]), rtol=1e-5)


def test_an_empty_batch_stays_empty():
    assert nn.Linear(2)(np.ones((0, 3), "float32")).shape == (0, 2)


def test_other_inputs_than_at_first_are_an_error():
    linear = nn.Linear(2)
    linear(X)
    with pytest.raises(ValueError, match=r"w.* shape"):
        linear(np.ones((1, 7), "float32"))


def test_it_learns_inside_a_model():
    x = np.linspace(-1, 1, 32, dtype="float32")[:, None]
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        model = elegy.Model(nn.Linear(1), loss="mse", optimizer=0.1)
        model.fit(x, 3 * x + 1, epochs=40, batch_size=8, verbose=0)
    np.testing.assert_allclose([float(model.module.w[0, 0]), float(model.module.b[0])], [3, 1], atol=0.02)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "3", None])
def test_a_size_that_counts_nothing_is_an_error(size):
    with pytest.raises(
        ValueError, match=r"`Linear` was given output_size=.*\. .* at least 1\. Give another `output_size`"
    ):
        nn.Linear(size)


def test_errors_name_the_layer():
    with pytest.raises(ValueError, match=r"`Linear\(name='head'\)` was given output_size=0\."):
        nn.Linear(0, name="head")


def test_a_scalar_is_an_error():
    with pytest.raises(ValueError, match=r"`Linear` was called with f32\[\]\. It takes at least one axis.*\. Reshape"):
        nn.Linear(1)(jnp.array(1.0))


def test_no_features_are_an_error():
    with pytest.raises(ValueError, match=r"shape \(2, 0\)\. Its last axis, the features, is empty\. Give"):
        nn.Linear(1)(np.ones((2, 0), "float32"))


def test_an_initializer_of_a_bias_that_is_off_is_an_error():
    with pytest.raises(
        ValueError, match=r"given `b_init`\. With with_bias=False there is no such parameter\. Leave out"
    ):
        nn.Linear(1, with_bias=False, b_init=jnp.ones)
