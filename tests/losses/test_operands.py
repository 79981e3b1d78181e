"""What losses of two arrays have in common beside their contracts: shapes that are refused, dtypes, arguments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy import losses
from elegy.losses import BinaryCrossentropy, Huber, MeanAbsoluteError, MeanSquaredError


@pytest.mark.parametrize("kind", [MeanSquaredError, MeanAbsoluteError, Huber])
def test_a_prediction_that_is_right_is_not_moved(kind):
    gradient = jax.grad(lambda p: kind()(y_true=jnp.ones((2, 1)), y_pred=p))(jnp.array([[1.0], [3.0]]))
    assert gradient[0, 0] == 0 and gradient[1, 0] > 0


@pytest.mark.parametrize("kind", [MeanSquaredError, MeanAbsoluteError, Huber, BinaryCrossentropy])
def test_vectors_have_one_value_a_sample_so_weights_reach_each(kind):
    y_true, y_pred = np.array([0.0, 1.0, 1.0]), np.array([0.3, 0.3, 0.9])
    column = kind()(y_true=y_true[:, None], y_pred=y_pred[:, None], sample_weight=np.array([1.0, 0.0, 2.0]))
    vector = kind()(y_true=y_true, y_pred=y_pred, sample_weight=np.array([1.0, 0.0, 2.0]))
    np.testing.assert_allclose(vector, column, rtol=1e-6)


@pytest.mark.parametrize("kind", [MeanSquaredError, MeanAbsoluteError, Huber, BinaryCrossentropy])
def test_a_column_against_a_vector_is_refused_with_both_shapes(kind):
    with pytest.raises(ValueError, match=r"\(4,\) and \(4, 1\) differ"):
        kind()(y_true=np.zeros(4), y_pred=np.zeros((4, 1)))


def test_nested_lists_of_numbers_are_arrays():
    np.testing.assert_array_equal(losses.mean_squared_error([[0, 0]], [[1.0, 3.0]]), [5.0])


def test_float64_stays_float64():
    with jax.enable_x64(True):
        values = losses.mean_squared_error(np.zeros((2, 1)), np.ones((2, 1), "float32"))
    assert values.dtype == np.float64


@pytest.mark.parametrize("kind", [MeanSquaredError, MeanAbsoluteError, Huber])
def test_own_arguments_come_first_and_the_common_ones_follow(kind):
    loss = kind(1.0, "sum", 2.0, "a", name="mine") if kind is Huber else kind("sum", 2.0, "a", name="mine")
    assert (loss.reduction, loss.weight, loss.on, loss.name) == (losses.Reduction.SUM, 2.0, "a", "mine")


@pytest.mark.parametrize("kind", [MeanSquaredError, MeanAbsoluteError, BinaryCrossentropy])
def test_a_million_values_in_bfloat16_are_summed_in_float32(kind):
    y_pred = np.random.default_rng(0).uniform(0, 0.9, (1000, 1000)).astype(jnp.bfloat16)
    y_true, exact = np.zeros((1000, 1000), np.int8), y_pred.astype("float64")
    expected = {MeanSquaredError: np.square, MeanAbsoluteError: np.abs, BinaryCrossentropy: lambda p: -np.log1p(-p)}
    assert float(kind()(y_true=y_true, y_pred=y_pred)) == pytest.approx(expected[kind](exact).mean(), rel=1e-5)
