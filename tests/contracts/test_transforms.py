"""What the transforms of modules as objects keep: the numbers of JAX's own, one trace, the module as it was."""

import jax
import jax.numpy as jnp
import numpy as np

import elegy

from .table import Counted, Row, close, contract, types

X = np.linspace(-1, 1, 6, dtype="float32").reshape(3, 2)


def total(linear):
    return lambda x: jnp.sum(jnp.square(linear(x)))


# `make(function, module)` transforms a function of `x` that calls the module; `given` is JAX's own, for a pure function
# of parameters and `x`.
ROWS = {
    "elegy.jit": Row(elegy.jit, jax.jit),
    "elegy.grad": Row(elegy.grad, jax.grad),
    "elegy.value_and_grad": Row(elegy.value_and_grad, jax.value_and_grad),
}


def linear():
    layer = elegy.nn.Linear(1)
    layer(X)
    return layer


@contract(ROWS)
def test_jit_equals_eager(row):
    layer = linear()
    pure = row.given(lambda parameters, x: jnp.sum(jnp.square(layer.apply(parameters, {}, x)[0])))
    close(row.make(total(layer), layer)(X), pure(dict(layer.parameters), X))


@contract(ROWS)
def test_structure_shapes_and_dtypes_stay_so_that_it_is_compiled_once(row):
    layer = linear()
    counted = Counted(total(layer))
    program = elegy.jit(row.make(counted, layer), layer)
    kept = {str(types(program(number * X))) for number in range(3)}
    assert counted.traces == 1 and len(kept) == 1


@contract(ROWS)
def test_the_module_is_as_it_was(row):
    layer = linear()
    before = types(layer.parameters)
    row.make(total(layer), layer)(X)
    assert types(layer.parameters) == before
