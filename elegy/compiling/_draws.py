"""Random bits and keys written out: quicker to compile and to draw than the loops that JAX has for CPU."""

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend.core import JaxprEqn

from ._pass import Uses, inputs_of

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)


def written_out_draws(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """The same bits, each of which follows from the key and its place in the row-major order alone.

    JAX's loops over the rounds of Threefry read and write the whole array in each round, and places along several axes
    are found by divisions, which take long to compile.

    Reference:
        Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011.
    """
    del uses
    if eqn.primitive.name != "random_bits":
        return None
    (key,), shape, width = inputs_of(eqn), eqn.params["shape"], eqn.params["bit_width"]
    places_count = jax.config.jax_threefry_partitionable  # pyright: ignore[reportAttributeAccessIssue]: set by JAX
    if str(key.dtype) != "key<fry>" or not places_count or width > 32 or not 0 < math.prod(shape) < 2**32:
        return None

    def draw(key: jax.Array) -> jax.Array:
        words = lax.expand_dims(jax.random.key_data(key), (key.ndim,))  # (*keys, 1, 2)
        places = lax.expand_dims(lax.iota("uint32", math.prod(shape)), range(key.ndim))
        first, second = threefry(words[..., 0], words[..., 1], np.uint32(0), places)
        # Whatever reads the bits, they are made once.
        bits = lax.optimization_barrier((first ^ second).astype(f"uint{width}"))
        return lax.reshape(bits, (*key.shape, *shape))

    return draw


def written_out_folds(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """The key that another key and a number make, without a loop for one block of the cipher."""
    del uses
    if eqn.primitive.name != "random_fold_in" or str(inputs_of(eqn)[0].dtype) != "key<fry>":
        return None

    def fold(key: jax.Array, number: jax.Array) -> jax.Array:
        words = jax.random.key_data(key)
        folded = jax.numpy.stack(threefry(words[..., 0], words[..., 1], np.uint32(0), number), axis=-1)
        # Inlined into what reads the key, a few folds one after the other would take minutes to compile.
        return jax.random.wrap_key_data(lax.optimization_barrier(folded), impl="threefry2x32")

    return fold


def threefry(key: Any, other_key: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """The two words of the block cipher, of two words of a key and two of a counter; arrays of JAX or NumPy."""
    keys = (key, other_key, key ^ other_key ^ _PARITY)
    x, y = x + key, y + other_key
    for turn in range(5):
        for places in _ROTATIONS[turn % 2]:
            x = x + y
            y = x ^ (y << np.uint32(places) | y >> np.uint32(32 - places))
        x, y = x + keys[(turn + 1) % 3], y + keys[(turn + 2) % 3] + np.uint32(turn + 1)
    return x, y
