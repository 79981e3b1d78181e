"""Strict promotion for our own kernels, and Keras as the reference, which needs JAX's defaults."""

import contextlib
import os

import jax
import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")


@pytest.fixture(autouse=True)
def strict():
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield


@contextlib.contextmanager
def defaults():
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture
def keras_result():
    """The value of a Keras metric, by class name, of all rows at once."""
    keras = pytest.importorskip("keras")

    def result(name, *columns, **config):
        with defaults():
            metric = getattr(keras.metrics, name)(**config)
            metric.update_state(*columns)
            return np.asarray(metric.result())

    return result


@pytest.fixture
def keras_accuracy():
    """The name of the class that Keras chooses for "accuracy"."""
    pytest.importorskip("keras")
    from keras.src.trainers.compile_utils import get_metric

    return lambda y_true, y_pred: type(get_metric("accuracy", y_true, y_pred)).__name__


@pytest.fixture
def value_after():
    """The value of one of our metrics after the batches."""

    def value(metric, batches):
        metric.reset()
        for batch in batches:
            result = metric(**dict(zip(("y_true", "y_pred", "sample_weight"), batch, strict=False)))
        return np.asarray(result)

    return value


@pytest.fixture
def cut():
    """Rows cut into two batches, of 3 rows and of the rest; None stays None."""

    def pieces(*columns):
        return [
            tuple(None if column is None else column[rows] for column in columns) for rows in (slice(3), slice(3, None))
        ]

    return pieces
