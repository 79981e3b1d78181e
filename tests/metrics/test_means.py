"""The mean that other metrics are made of: exact over millions, 0 of nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy.metrics import Accuracy, Mean


def test_counts_beyond_the_precision_of_float32_stay_exact():
    mean = Mean()

    def add(state, _):
        return mean.update(state, jnp.ones(4099)), None

    state, _ = jax.lax.scan(add, mean.empty(), length=9001)  # 36,895,099, more than 24 bits hold
    assert float(state.value[1]) + float(state.error[1]) == 4099 * 9001
    assert float(mean.compute(state)) == 1.0


def test_small_values_are_not_lost_beside_a_large_sum():
    mean = Mean()
    state = mean.update(mean.empty(), jnp.array([2.0**25]))
    for _ in range(3):
        state = mean.update(state, jnp.array([1.0]))
    assert float(state.value[0]) + float(state.error[0]) == 2.0**25 + 3


def test_the_mean_of_nothing_is_zero():
    assert float(Mean().compute(Mean().empty())) == 0.0


def test_a_row_of_weight_zero_may_hold_anything():
    value = Mean()(np.array([1.0, np.nan, np.inf], "float32"), sample_weight=np.array([1.0, 0.0, 0.0], "float32"))
    assert float(value) == 1.0


def test_a_nan_that_counts_shows():
    assert np.isnan(Mean()(np.array([1.0, np.nan], "float32")))


@pytest.mark.parametrize("dtype", ["int32", "bool", "float16", "float32"])
def test_weights_of_any_dtype_count(dtype):
    weights = jnp.array([1, 0, 1, 0]).astype(dtype)
    value = Accuracy()(y_true=np.array([1, 1, 1, 1]), y_pred=np.array([1, 0, 0, 0]), sample_weight=weights)
    assert float(value) == 0.5
