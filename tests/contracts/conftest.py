"""What contracts share."""

import jax
import pytest


@pytest.fixture
def strict_kernels():
    """Strict promotion, which our own kernels keep."""
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield
