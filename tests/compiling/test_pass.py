"""The pass enters what computes, changes what a rule names, and leaves everything else as it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

from elegy.compiling import ALL_RULES, rewritten
from elegy.compiling._pass import rewrite
from tests.compiling.comparing import counted, equations, normal

ROWS = normal(3, 64)


def best(x):
    """Something that a rule replaces, as a number of the dtype of `x`."""
    return jnp.argmax(x, axis=-1).astype(x.dtype)


@jax.custom_jvp
def with_jvp(x):
    return x[:, 0] * best(x)


@jax.custom_vjp
def with_vjp(x):
    return x[:, 0] * best(x)


with_jvp.defjvp(lambda primals, tangents: (with_jvp(*primals), 3 * tangents[0][:, 0] + best(*primals)))
with_vjp.defvjp(lambda x: (with_vjp(x), x), lambda x, g: (x * (g + best(x))[:, None],))

BODIES = {
    "jit": jax.jit(best),
    "scan": lambda x: lax.scan(lambda total, row: (total + best(row), best(row)), 0.0, x),
    "while": lambda x: lax.while_loop(lambda row: best(row) < 60, lambda row: row.at[63].add(best(row)), x[0]),
    "fori": lambda x: lax.fori_loop(0, x.shape[0], lambda i, total: total + best(x[i]), 0.0),
    "cond": lambda x: lax.cond(x[0, 0] > 0, best, lambda x: -best(-x), x),
    "remat": jax.checkpoint(best),
    "remat, differentiated": jax.grad(jax.checkpoint(lambda x: jnp.sum(jnp.sin(x[:, 0] * best(x))))),
    "custom_jvp": with_jvp,
    "custom_jvp, differentiated": jax.grad(lambda x: with_jvp(x).sum()),
    "custom_vjp": with_vjp,
    "custom_vjp, differentiated": jax.grad(lambda x: with_vjp(x).sum()),
    "scan of jit of cond": lambda x: lax.map(jax.jit(lambda row: lax.cond(row[0] > 0, best, jnp.sum, row)), x),
    "scan, differentiated": jax.grad(lambda x: lax.scan(lambda c, row: (c * row[1] + best(row), None), 1.0, x)[0]),
    "vmap": jax.vmap(best),
}


@pytest.mark.parametrize("body", BODIES)
def test_bodies_are_entered(body):
    function = BODIES[body]
    assert counted(function, ROWS)["argmax"] > 0
    assert counted(rewritten(function, ALL_RULES), ROWS)["argmax"] == 0
    for plain, other in zip(*map(jax.tree.leaves, (function(ROWS), rewritten(function, ALL_RULES)(ROWS))), strict=True):
        np.testing.assert_allclose(other, plain, rtol=1e-6)


def test_where_no_rule_applies_the_very_same_object_comes_back():
    traced = jax.make_jaxpr(lambda x: lax.scan(lambda c, row: (c + jnp.sum(row), c), 0.0, jnp.tanh(x)))(ROWS)
    assert rewrite(traced, ALL_RULES) is traced


def test_other_equations_and_bodies_stay_the_very_same_objects():
    traced = jax.make_jaxpr(lambda x: (jax.jit(jnp.cumsum)(x), jnp.sin(best(x)), jnp.argmax(x, -1)))(ROWS)
    made = rewrite(traced, ALL_RULES)
    kept = [eqn for eqn in traced.jaxpr.eqns if eqn.primitive.name not in ("argmax", "jit", "pjit")]
    assert kept and all(any(eqn is other for other in made.jaxpr.eqns) for eqn in kept)
    cumsum = next(eqn for eqn in traced.jaxpr.eqns if eqn.params.get("name") == "cumsum")
    assert any(eqn is cumsum for eqn in made.jaxpr.eqns)


def test_a_body_that_is_called_twice_stays_one():
    inner = jax.jit(best)
    made = rewrite(jax.make_jaxpr(lambda x: inner(x) + inner(x))(ROWS), ALL_RULES)
    bodies = [eqn.params["jaxpr"] for eqn in made.jaxpr.eqns if "jaxpr" in eqn.params]
    assert bodies[0] is bodies[1]


def test_effects_constants_and_donated_arguments_stay():
    seen, weights = [], normal(64)

    def step(x):
        jax.debug.callback(seen.append, best(x)[0], ordered=True)
        return x * weights, best(x)

    x = jnp.array(ROWS)
    out = jax.jit(rewritten(step, ALL_RULES), donate_argnums=0)(x)
    jax.effects_barrier()
    np.testing.assert_allclose(out[0], ROWS * weights, rtol=1e-6)
    assert seen == [np.argmax(ROWS[0])] and x.is_deleted()


def test_new_equations_carry_the_names_of_those_they_replace():
    def scoped(x):
        with jax.named_scope("head"):
            return jnp.argmax(x, axis=-1)

    made = rewrite(jax.make_jaxpr(scoped)(ROWS), ALL_RULES)
    assert {str(eqn.source_info.name_stack) for eqn in equations(made.jaxpr) if eqn.primitive.name == "eq"} == {"head"}


def test_arrays_that_are_sharded_by_hand_keep_their_types():
    mesh = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Explicit,))
    with jax.set_mesh(mesh):
        x = jax.device_put(ROWS, P("data"))
        found = jax.jit(rewritten(best, ALL_RULES))(x)
    np.testing.assert_array_equal(found, best(ROWS))
    assert jax.typeof(found).sharding.spec == P("data")
