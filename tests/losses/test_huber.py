"""The Huber loss: its options."""

import numpy as np
import pytest

from elegy.losses import Huber, huber


@pytest.mark.parametrize("delta", [0, -1.0, float("inf"), float("nan"), True, "1"])
def test_a_delta_that_is_no_finite_number_above_zero_is_refused(delta):
    with pytest.raises(ValueError, match=r"loss `tail` was given `delta=.*above 0"):
        Huber(delta, name="tail")
    with pytest.raises(ValueError, match="loss `huber` was given `delta="):
        huber(np.zeros((1, 1)), np.zeros((1, 1)), delta=delta)


def test_a_large_delta_is_half_the_squared_error():
    np.testing.assert_allclose(huber(np.zeros((1, 2)), np.array([[1.0, 3.0]]), delta=100.0), [2.5])
