"""Networks of every library give the same losses, gradients and predictions when they are rewritten."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy.compiling import ALL_RULES, rewritten
from elegy.compiling._layout import canonical_numbers
from tests.compiling.comparing import assert_close, both, counted, equations
from tests.compiling.networks import NETWORKS

SLOW = {"argmax", "select_and_scatter_add"}


def example(name):
    build, x = NETWORKS[name]
    parameters, apply = build()
    wanted = jnp.arange(len(x)) * 7

    def step(parameters, x):
        def loss(parameters, x):
            scores = apply(parameters, x)
            return -jnp.mean(jax.nn.log_softmax(scores)[jnp.arange(len(x)), wanted]), jnp.argmax(scores, axis=-1)

        return jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(parameters, x)

    return step, parameters, x


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_gives_the_same_loss_gradients_and_places(name):
    step, parameters, x = example(name)
    assert_close(step, parameters, x, tolerance=2e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_slow_is_gone(name):
    step, parameters, x = example(name)
    assert SLOW & set(counted(step, parameters, x))
    assert not SLOW & set(counted(rewritten(step, ALL_RULES), parameters, x))
    for eqn in equations(jax.make_jaxpr(rewritten(step, ALL_RULES))(parameters, x).jaxpr):
        if eqn.primitive.name == "conv_general_dilated":
            assert eqn.params["feature_group_count"] == eqn.params["batch_group_count"] == 1
            assert eqn.params["dimension_numbers"] == canonical_numbers(eqn.invars[0].aval.ndim)


def test_nan_in_an_input_reaches_the_same_gradients():
    step, parameters, x = example("Linen")
    assert_close(step, parameters, x.at[0, 3, 4, 1].set(jnp.nan), tolerance=2e-5)


def test_bfloat16_is_as_close_to_float32_as_the_plain_step():
    step, *args = example("Linen")
    exact = jax.tree.leaves(jax.jit(step)(*args))
    halves = both(step, *jax.tree.map(lambda leaf: leaf.astype("bfloat16"), args))
    plain, other = (sum(np.mean(np.abs(a - b)) for a, b in zip(half, exact, strict=True)) for half in halves)
    assert 0 < other < 1.3 * plain
