"""What holds for every loss of this package: gradients, precisions, shapes, names, declared axes."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy import losses
from elegy.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)

CORNERS = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], "float32")
ONE_HOT = np.array([[1, 0], [1, 0], [0, 1]])
TABLE = [
    (MeanSquaredError(), ONE_HOT, CORNERS),
    (MeanAbsoluteError(), ONE_HOT, CORNERS),
    (Huber(), ONE_HOT, CORNERS),
    (BinaryCrossentropy(), ONE_HOT, CORNERS),
    (BinaryCrossentropy(from_logits=True), ONE_HOT, 1e4 * CORNERS),
    (CategoricalCrossentropy(), ONE_HOT, CORNERS),
    (CategoricalCrossentropy(), ONE_HOT, 0 * CORNERS),
    (CategoricalCrossentropy(from_logits=True), ONE_HOT, 1e4 * CORNERS),
    (SparseCategoricalCrossentropy(), ONE_HOT[:, 1], CORNERS),
    (SparseCategoricalCrossentropy(), ONE_HOT[:, 1], 0 * CORNERS),
    (SparseCategoricalCrossentropy(from_logits=True), ONE_HOT[:, 1], 1e4 * CORNERS),
]
every_loss = pytest.mark.parametrize(("loss", "y_true", "y_pred"), TABLE)


@every_loss
def test_value_and_gradient_are_finite_at_the_corners(loss, y_true, y_pred):
    value, gradient = jax.value_and_grad(lambda p: loss(y_true=y_true, y_pred=p))(jnp.asarray(y_pred))
    assert np.isfinite(value) and np.all(np.isfinite(gradient))


@pytest.mark.parametrize("kind", [MeanSquaredError, MeanAbsoluteError, Huber])
def test_a_prediction_that_is_right_is_not_moved(kind):
    gradient = jax.grad(lambda p: kind()(y_true=jnp.ones((2, 1)), y_pred=p))(jnp.array([[1.0], [3.0]]))
    assert gradient[0, 0] == 0 and gradient[1, 0] > 0


@every_loss
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.int32])
def test_lower_precisions_are_computed_in_float32(loss, y_true, y_pred, dtype):
    y_pred = jnp.asarray(y_pred).astype(dtype)
    values = loss.call(y_true, y_pred)
    assert values.dtype == jnp.float32
    np.testing.assert_allclose(values, loss.call(y_true, y_pred.astype(jnp.float32)), rtol=1e-6)


@every_loss
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "bool"])
def test_the_integer_type_of_labels_does_not_matter(loss, y_true, y_pred, dtype):
    values = loss.call(y_true.astype(dtype), y_pred)
    np.testing.assert_array_equal(values, loss.call(y_true.astype("int32"), y_pred))


@every_loss
def test_values_have_one_entry_a_sample_and_jit_changes_nothing(loss, y_true, y_pred):
    values = loss.call(y_true, y_pred)
    assert values.shape == (3,)
    np.testing.assert_allclose(jax.jit(loss.call)(y_true, y_pred), values, rtol=1e-6)


@every_loss
def test_the_batch_axis_is_declared_beside_the_call(loss, y_true, y_pred):
    del y_true, y_pred
    assert vars(type(loss))["batch_axis"] == 0 and "call" in vars(type(loss))


@every_loss
def test_a_loss_can_be_pickled(loss, y_true, y_pred):
    copy = pickle.loads(pickle.dumps(loss))
    assert float(copy(y_true=y_true, y_pred=y_pred)) == float(loss(y_true=y_true, y_pred=y_pred))


@every_loss
def test_arguments_of_another_number_of_axes_are_refused(loss, y_true, y_pred):
    y_true = y_true[..., None, None] if y_true.ndim == 1 else y_true[..., None]
    with pytest.raises(ValueError, match=rf"loss `{loss.name or ''}.*\({y_true.shape[0]}, .*\(3, 2\)"):
        loss(y_true=y_true, y_pred=y_pred)


@every_loss
def test_a_structure_of_outputs_is_refused_with_the_way_to_choose(loss, y_true, y_pred):
    with pytest.raises(ValueError, match=r"`y_pred` is a dict of a, b\. Choose a part with `on=`"):
        loss(y_true=y_true, y_pred={"a": y_pred, "b": y_pred})
    with pytest.raises(ValueError, match=r"`y_pred` is a tuple of 2 values"):
        loss(y_true=y_true, y_pred=(y_pred, y_pred))
    with pytest.raises(ValueError, match="`y_true` is None"):
        loss(y_true=None, y_pred=y_pred)


@every_loss
def test_on_picks_one_output_and_weight_multiplies(loss, y_true, y_pred):
    heavy = type(loss)(weight=3.0, on="a")
    plain = type(loss)()
    expected = 3.0 * plain(y_true=y_true, y_pred=y_pred)
    np.testing.assert_allclose(heavy(y_true={"a": y_true}, y_pred={"a": y_pred}), expected, rtol=1e-6)


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
