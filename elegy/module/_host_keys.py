"""Keys of known numbers, made on the host: bit by bit those of JAX, for which it would compile programs."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from ..compiling import threefry

_IMPL = "threefry2x32"


def is_known(key: Any) -> bool:
    """Whether the words of a key can be read now, and its generator is the one that is written down here."""
    return not isinstance(key, Tracer) and str(jax.random.key_impl(key)) == _IMPL


def words_of(key: jax.Array) -> np.ndarray:
    """The words of a known key, uint32 `(2,)`."""
    return np.asarray(jax.random.key_data(key))


def key_of(words: np.ndarray) -> jax.Array:
    """The key, or keys, that words `(..., 2)` make."""
    return jax.random.wrap_key_data(jax.device_put(words), impl=_IMPL)


def folded(words: np.ndarray, *numbers: int | Sequence[int] | np.ndarray) -> np.ndarray:
    """The words after `jax.random.fold_in` of each of the numbers in turn.

    Args:
        words: uint32 `(2,)`.
        *numbers: uint32 each; a sequence makes words for each of its numbers, `(n, 2)`.

    Example:
        >>> words = folded(np.array([0, 42], np.uint32), 7)
        >>> bool((words == jax.random.key_data(jax.random.fold_in(jax.random.key(42), 7))).all())
        True
    """
    first, second = words
    with np.errstate(over="ignore"):  # words of 32 bits, as they are meant to be
        for number in numbers:
            first, second = threefry(first, second, np.uint32(0), np.asarray(number, np.uint32))
    return np.stack([first, second], axis=-1)
