"""Mean and Sum of outputs: weights, scalars, and pointing them elsewhere."""

import numpy as np

from elegy._inject import bind
from elegy.metrics import Mean, Sum

VALUES = np.arange(14, dtype="float32").reshape(7, 2)
WEIGHTS = np.array([1, 0, 2, 1, 1, 0, 3], "float32")


def running(metric, batches):
    for values, weights in batches:
        result = metric(values, sample_weight=weights)
    return float(result)


def test_mean_is_weighted_over_uneven_batches(cut):
    assert running(Mean(), cut(VALUES, WEIGHTS)) == np.average(VALUES, weights=np.repeat(WEIGHTS[:, None], 2, 1))


def test_sum_is_weighted_over_uneven_batches(cut):
    assert running(Sum(), cut(VALUES, WEIGHTS)) == np.sum(VALUES * WEIGHTS[:, None])


def test_sum_without_weights_adds_up():
    assert float(Sum()(VALUES)) == VALUES.sum()


def test_mean_has_the_values_of_keras(keras_result, cut):
    values = VALUES[:, 0]
    for kind in (Mean, Sum):
        expected = keras_result(kind.__name__, values, WEIGHTS)
        np.testing.assert_allclose(running(kind(), cut(values, WEIGHTS)), expected, rtol=1e-6)


def test_a_scalar_counts_as_one_value():
    mean = Mean()
    mean(y_pred=np.float32(1.0))
    assert float(mean(y_pred=np.float32(3.0))) == 2.0


def test_bind_points_the_mean_at_another_place():
    assert float(bind(Mean(), y_pred="x.dose")(x={"dose": np.array([1.0, 3.0])})) == 2.0
