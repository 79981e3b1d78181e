"""Random keys for modules that are called by themselves, and who may not make parameters."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import numpy as np
from jax.core import Tracer
from jax.extend.core import get_opaque_trace_state

from ._keys import base_key
from ._overlay import running_overlay
from ._record import display_name


class RNG:
    """A seed for modules that are called outside a Model, as a context.

    Without one the seed is 42, and each call of a module has fresh keys. Inside a Model `Model(seed=)` counts alone.

    Args:
        seed: an integer from 0 to 2**64 - 1.

    Raises:
        ValueError: the seed is none.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> with elegy.RNG(0):
        ...     a = elegy.nn.Linear(2)(jnp.ones((1, 3)))
        >>> with elegy.RNG(0):
        ...     b = elegy.nn.Linear(2)(jnp.ones((1, 3)))
        >>> bool((a == b).all())
        True
    """

    def __init__(self, seed: int) -> None:
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= int(seed) < 2**64:
            raise ValueError(
                f"`RNG({seed!r})` was made. A seed is an integer from 0 to 2**64 - 1. Choose one of these."
            )
        self.words = np.array([int(seed) >> 32, int(seed) & 0xFFFFFFFF], np.uint32)
        self.count = 0
        self.before: Any = 0
        self._trace = get_opaque_trace_state()
        self._tokens: list[Any] = []

    def __enter__(self) -> "RNG":
        """Make this the seed of modules called by themselves.

        Raises:
            ValueError: it was made outside of a transform that runs now, in which its count would be a constant.
        """
        overlay = running_overlay()
        is_rehearsal = overlay is not None and overlay.is_rehearsal
        is_elsewhere = self._trace != get_opaque_trace_state() and not is_rehearsal
        if is_elsewhere and isinstance(base_key(self.words), Tracer):
            raise ValueError(
                "An `RNG` was entered inside a JAX transform such as `jax.jit`. It was made outside, so each run would "
                "draw the same numbers. Enter it around the call of what `elegy.jit` returns."
            )
        self._tokens.append(_rng.set(self))
        return self

    def __exit__(self, *exception: Any) -> None:
        """Go back to the seed before."""
        _rng.reset(self._tokens.pop())

    def __getstate__(self) -> dict[str, Any]:
        """The seed and what was counted; a copy is made where it is unpickled, and entered nowhere."""
        return {"words": self.words, "count": self.count, "before": self.before}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _trace=get_opaque_trace_state(), _tokens=[])


def bare_seed() -> np.ndarray:
    """The seed words for a module that is called by itself."""
    rng = _rng.get()
    return _DEFAULT_SEED if rng is None else rng.words


def bare_counters(calls: Any) -> tuple[Any, Any]:
    """The counters for the initial values and for the keys of one such call.

    A running `RNG` counts calls, so that two equal modules start differently; without one each module counts its own.

    Args:
        calls: how often the module was called by itself.
    """
    rng = _rng.get()
    if rng is None:
        return 0, calls
    rng.count += 1
    count = rng.before + rng.count
    return count, count


def running_rng() -> RNG | None:
    """The seed that runs now in this thread, or None."""
    return _rng.get()


@contextlib.contextmanager
def stand_in(words: Any, before: Any) -> Iterator[RNG]:
    """While a transform traces, a seed in place of the running one, whose words and count may be traced.

    Args:
        words: the seed words.
        before: how often it counted before the transform.
    """
    rng = RNG(0)
    rng.words, rng.before = words, before
    with rng:
        yield rng


@contextlib.contextmanager
def without_new_parameters(who: str) -> Iterator[None]:
    """While `who` runs, a module that has no arrays yet is an error: nobody would train what it makes."""
    token = _running_consumer.set(who)
    try:
        yield
    finally:
        _running_consumer.reset(token)


def refuse_new_parameters(module: Any) -> None:
    """Raise if a loss or metric runs, in which modules cannot be initialized.

    Raises:
        ValueError: one does.
    """
    who = _running_consumer.get()
    if who is not None:
        raise ValueError(
            f"{who} calls the module `{display_name(module)}`, which has no arrays yet. What it would make "
            "there is never "
            "trained. Put it into the module, or initialize it before and use it as a constant."
        )


_DEFAULT_SEED = np.array([0, 42], np.uint32)
_rng: contextvars.ContextVar[RNG | None] = contextvars.ContextVar("rng", default=None)
_running_consumer: contextvars.ContextVar[str | None] = contextvars.ContextVar("running_consumer", default=None)
