"""Random keys as a pure function of seed, domain, counter, consumer and request; no consumer moves another's."""

import zlib
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ._host_keys import folded, is_known, key_of, words_of

INIT, TRAIN, EVAL, ORDER, MICRO = 0, 1, 2, 3, 4
"""What a key is for: initial values, a training step, an evaluation batch, the order of data, a batch of an update."""


def base_key(seed: Any) -> jax.Array:
    """The key of a seed.

    Args:
        seed: uint32 array `(2,)`.

    Example:
        >>> import numpy as np
        >>> base_key(np.array([0, 42], np.uint32)).shape
        ()
    """
    return jax.random.wrap_key_data(jnp.asarray(seed, jnp.uint32), impl="threefry2x32")


def domain_key(seed: Any, domain: int, counter: Any) -> jax.Array:
    """The key of one step of a domain; fold it once a step, then give each consumer its own with `consumer_key`.

    Args:
        seed: uint32 array `(2,)`.
        domain: `INIT`, `TRAIN`, `EVAL`, `ORDER` or `MICRO`.
        counter: int32 scalar, the step, or the batch of the pass or of the update.
    """
    if isinstance(seed, np.ndarray) and not isinstance(counter, Tracer):
        return key_of(folded(seed, domain, int(counter)))
    return jax.random.fold_in(jax.random.fold_in(base_key(seed), domain), counter)


def consumer_key(key: jax.Array, consumer: str, request: int) -> jax.Array:
    """The key of one request of one consumer in a step.

    Args:
        key: the step's key.
        consumer: its name, like `module:encoder/dropout`; what counts is its CRC32, the same in every process.
        request: the running number of the request within consumer and step.
    """
    return jax.random.fold_in(jax.random.fold_in(key, np.uint32(zlib.crc32(consumer.encode()))), request)


def consumer_keys(key: jax.Array, consumers: Sequence[str]) -> jax.Array:
    """The key of the first request of each of several consumers, `(n,)`; made on the host if it can be."""
    numbers = np.array([zlib.crc32(consumer.encode()) for consumer in consumers], np.uint32)
    if is_known(key):
        with jax.ensure_compile_time_eval():  # also where a transformation runs that did not bring the key
            return key_of(folded(words_of(key), numbers, 0))
    return jax.vmap(lambda number: jax.random.fold_in(jax.random.fold_in(key, number), 0))(numbers)
