"""Strict promotion for our own kernels, and Keras as the reference, which needs JAX's defaults."""

import jax
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def strict():
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield


@pytest.fixture
def keras_loss():
    """The value of a Keras loss or loss function, by name."""
    keras = pytest.importorskip("keras")

    def value(name, y_true, y_pred, sample_weight=None, **config):
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            if name[0].islower():
                return np.asarray(getattr(keras.losses, name)(y_true, y_pred, **config))
            return np.asarray(getattr(keras.losses, name)(**config)(y_true, y_pred, sample_weight))

    return value
