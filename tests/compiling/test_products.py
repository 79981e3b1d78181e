"""Gradients of kernels without transposed copies."""

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from elegy.compiling import rewritten
from elegy.compiling._pass import rewrite
from elegy.compiling._products import kernel_gradients
from tests.compiling.comparing import assert_close, equations, normal

RULES = (kernel_gradients,)


def kernel_gradient(equation, precision=None):
    def gradient(x, kernel, cotangent):
        def multiply(kernel):
            return jnp.einsum(equation, x, kernel, precision=precision)

        return jax.vjp(multiply, kernel)[1](cotangent)[0]

    return gradient


def first_operands(function, *args):
    """The shapes of what stands left in each product."""
    return [eqn.invars[0].aval.shape for eqn in equations(jax.make_jaxpr(function)(*args).jaxpr) if _is_product(eqn)]


def _is_product(eqn):
    return eqn.primitive.name == "dot_general"


CASES = {
    "bti,io->bto": ((2, 3, 4), (4, 5), (2, 3, 5)),
    "bti,ihd->bthd": ((2, 3, 4), (4, 2, 5), (2, 3, 2, 5)),
    "bthd,hdo->bto": ((2, 3, 2, 5), (2, 5, 4), (2, 3, 4)),
}


@pytest.mark.parametrize("equation", CASES)
def test_inputs_stand_left_in_the_gradient_of_a_kernel(equation):
    args = [normal(*shape) for shape in CASES[equation]]
    plain = kernel_gradient(equation)
    assert first_operands(plain, *args)[-1] == CASES[equation][2]
    assert first_operands(rewritten(plain, RULES), *args)[-1] == (6, args[0].size // 6)
    assert_close(plain, *args, rules=RULES)


def test_the_precision_of_each_operand_goes_with_it():
    precision = (lax.Precision.HIGHEST, lax.Precision.DEFAULT)

    def function(g, x):
        return lax.dot_general(g, x, (((0,), (0,)), ((), ())), precision=precision).T

    made = jax.make_jaxpr(rewritten(function, RULES))(normal(3, 2), normal(3, 4))
    product = next(eqn for eqn in equations(made.jaxpr) if _is_product(eqn))
    assert product.params["precision"] == precision[::-1]
    assert product.invars[0].aval.shape == (3, 4)


LEFT = {
    "its result is used twice": lambda g, x: (lambda d: d.T + jnp.sum(d))(jnp.einsum("ki,kj->ij", g, x)),
    "its result is returned": lambda g, x: jnp.einsum("ki,kj->ij", g, x),
    "no transpose follows": lambda g, x: jnp.exp(jnp.einsum("ki,kj->ij", g, x)),
    "it contracts other axes": lambda g, x: jnp.einsum("ik,jk->ij", g.T, x.T).T,
    "it has a batch": lambda g, x: jnp.einsum("bki,bkj->bij", g[None], x[None]).transpose(0, 2, 1),
    "it has no columns": lambda g, x: jnp.einsum("ki,k->i", g, x[:, 0]),
}


@pytest.mark.parametrize("case", LEFT)
def test_other_products_are_left_alone(case):
    traced = jax.make_jaxpr(LEFT[case])(normal(3, 2), normal(3, 4))
    assert rewrite(traced, RULES) is traced
