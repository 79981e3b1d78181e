"""What every test may ask for."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
import pytest

pytest_plugins = ["tests.raises"]


@pytest.fixture
def rows():
    """Eight rows of three positive numbers."""
    return np.random.RandomState(0).rand(8, 3).astype("float32")
