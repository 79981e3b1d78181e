"""MSE and MAE as metrics: the values of NumPy and Keras, weighted by all kinds of weights."""

import numpy as np
import pytest

from elegy.metrics import MeanAbsoluteError, MeanSquaredError

RANDOM = np.random.default_rng(1)
Y_TRUE, Y_PRED = RANDOM.normal(size=(2, 9, 4)).astype("float32")
ROW_WEIGHTS = RANDOM.random(9).astype("float32")
ELEMENT_WEIGHTS = RANDOM.random((9, 4)).astype("float32")
TABLE = [(MeanSquaredError, np.square), (MeanAbsoluteError, np.abs)]


@pytest.mark.parametrize("weights", [None, ROW_WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize(("kind", "distance"), TABLE)
def test_over_uneven_batches_the_value_is_that_of_keras(kind, distance, weights, keras_result, value_after, cut):
    del distance
    expected = keras_result(kind.__name__, Y_TRUE, Y_PRED, weights)
    np.testing.assert_allclose(value_after(kind(), cut(Y_TRUE, Y_PRED, weights)), expected, rtol=1e-6)


@pytest.mark.parametrize("weights", [ROW_WEIGHTS, ROW_WEIGHTS[:, None], ELEMENT_WEIGHTS])
@pytest.mark.parametrize(("kind", "distance"), TABLE)
def test_the_sum_of_weighted_values_is_divided_by_the_sum_of_weights(kind, distance, weights, value_after, cut):
    full = np.broadcast_to(weights.reshape(9, -1), (9, 4))
    expected = np.average(distance(Y_TRUE - Y_PRED), weights=full)
    np.testing.assert_allclose(value_after(kind(), cut(Y_TRUE, Y_PRED, weights)), expected, rtol=1e-6)


def test_integer_targets_do_not_wrap_around():
    y_true, y_pred = np.array([0, 255], "uint8"), np.array([255, 0], "uint8")
    assert float(MeanAbsoluteError()(y_true=y_true, y_pred=y_pred)) == 255.0


@pytest.mark.parametrize(("kind", "distance"), TABLE)
def test_a_column_against_a_vector_is_refused_with_both_shapes(kind, distance):
    del distance
    with pytest.raises(ValueError, match=r"\(4,\) and \(4, 1\) differ"):
        kind()(y_true=np.zeros(4), y_pred=np.zeros((4, 1)))
