"""Random bits in a row instead of in the shape that they are wanted in, which takes much longer to compile."""

import math
from collections.abc import Callable

import jax
from jax import lax
from jax.extend.core import JaxprEqn

from ._pass import Uses, inputs_of


def draws_in_a_row(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """The same bits, drawn as a vector: each follows from the key and its place in the row-major order alone.

    Of an axis that is no power of two XLA makes divisions in the middle of the generator, and for ten columns it needs
    five times as long to compile them.
    """
    del uses
    if eqn.primitive.name != "random_bits" or len(eqn.params["shape"]) < 2:
        return None
    (key,) = inputs_of(eqn)
    places_count = jax.config.jax_threefry_partitionable  # pyright: ignore[reportAttributeAccessIssue]: set by JAX
    if key.shape or str(key.dtype) != "key<fry>" or not places_count:  # other generators may go by the shape
        return None
    shape, width = eqn.params["shape"], eqn.params["bit_width"]

    def draw(key: jax.Array) -> jax.Array:
        return lax.reshape(jax.random.bits(key, (math.prod(shape),), f"uint{width}"), shape)

    return draw
