"""Strict promotion for our own layers, and Keras as the reference, which needs JAX's defaults."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def strict():
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield


@pytest.fixture
def against_keras():
    """Compare outputs and the gradients for inputs and weights of one of our layers with those of a Keras layer."""
    pytest.importorskip("keras")

    def compare(ours, theirs, x, names, **mode):
        x = jnp.asarray(x)
        parameters, states = ours.init(jax.random.key(1), x)
        weight = jnp.arange(1.0, 1.0 + ours.apply(parameters, states, x)[0].size)

        def our_sum(parameters, x):
            outputs, _ = ours.apply(parameters, states, x, **mode)
            return jnp.sum(jnp.ravel(outputs) * weight), outputs

        def their_sum(variables, x):
            outputs, _ = theirs.stateless_call(variables, theirs.non_trainable_variables, x, **mode)
            return jnp.sum(jnp.ravel(outputs) * weight), outputs

        (ours_dp, ours_dx), outputs = jax.jit(jax.grad(our_sum, (0, 1), has_aux=True))(parameters, x)
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            theirs.build(x.shape)
            shapes = [tuple(variable.shape) for variable in theirs.trainable_variables]
            variables = [parameters[name].reshape(shape) for name, shape in zip(names, shapes, strict=True)]
            (theirs_dp, theirs_dx), expected = jax.jit(jax.grad(their_sum, (0, 1), has_aux=True))(variables, x)
        close(outputs, expected)
        close(ours_dx, theirs_dx)
        for name, gradient in zip(names, theirs_dp, strict=True):
            close(ours_dp[name], gradient.reshape(ours_dp[name].shape))

    return compare


def close(ours, theirs):
    scale = max(1.0, float(np.abs(np.asarray(theirs)).max()))
    np.testing.assert_allclose(np.asarray(ours) / scale, np.asarray(theirs) / scale, rtol=1e-5, atol=2e-6)
