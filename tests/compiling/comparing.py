"""What the tests of the rewrite share: running a function both ways, and counting what it consists of."""

from collections import Counter

import jax
import numpy as np
from jax.extend.core import check_jaxpr, jaxprs_in_params

from elegy.compiling import ALL_RULES, rewritten

rs = np.random.RandomState(0)


def normal(*shape, dtype="float32"):
    return jax.numpy.asarray(rs.randn(*shape), dtype)


def equations(jaxpr):
    """All equations, those in the bodies of loops, branches and calls included."""
    for eqn in jaxpr.eqns:
        yield eqn
        for inner in jaxprs_in_params(eqn.params):
            yield from equations(inner)


def counted(function, *args):
    """By name how many equations of each primitive there are in a function."""
    made = jax.make_jaxpr(function)(*args)
    check_jaxpr(made.jaxpr)
    return Counter(eqn.primitive.name for eqn in equations(made.jaxpr))


def both(function, *args, rules=ALL_RULES):
    """The results of one compiled call as it is, and rewritten, as lists of NumPy arrays."""
    results = jax.jit(function)(*args), jax.jit(rewritten(function, rules))(*args)
    return [[np.asarray(leaf, "float32") for leaf in jax.tree.leaves(result)] for result in results]


def assert_close(function, *args, rules=ALL_RULES, tolerance=2e-6):
    """The results agree to `tolerance` of the largest value of each, and are NaN and infinite in the same places."""
    for plain, other in zip(*both(function, *args, rules=rules), strict=True):
        np.testing.assert_array_equal(np.isnan(other), np.isnan(plain))
        largest = np.max(np.abs(plain), where=np.isfinite(plain), initial=1e-6)
        np.testing.assert_allclose(other, plain, rtol=tolerance, atol=tolerance * largest)


def with_gradients(function):
    """From a function of arrays one that also returns how its result moves with each of them."""

    def moved(*args):
        *inputs, cotangent = args
        out, back = jax.vjp(function, *inputs)
        return out, back(cotangent)

    return moved
