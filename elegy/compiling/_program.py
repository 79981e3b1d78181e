"""Programs that threads can compile while their caller goes on, before they are called."""

import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

_THREADS = 2  # XLA itself uses all cores for a part of the time only


class Ahead:
    """While its block runs, programs that are called are traced, and compiled by threads beside it.

    They return shapes; nothing is computed. The threads end when all is compiled, and no later than that.
    """

    def __init__(self) -> None:
        self.threads: ThreadPoolExecutor | None = None
        """Which compile; None outside of the block."""

    def __enter__(self) -> None:
        self.threads = ThreadPoolExecutor(_THREADS, "elegy-compiles")

    def __exit__(self, *error: object) -> None:
        threads, self.threads = self.threads, None
        if threads is not None:
            threads.shutdown(wait=False)


def temporary_bytes(compiled: Any) -> int:
    """How much memory every run of a compiled program takes for itself, as far as the backend tells."""
    stats = compiled.memory_analysis()
    return 0 if stats is None else stats.temp_size_in_bytes


class Program:
    """A jitted function, called like it; a call waits for what is being compiled, so nothing is compiled twice.

    Args:
        jitted: what `jax.jit` returned.
        ahead: in its block, calls compile and return shapes and dtypes; they may be given such, too.
        on_wait: called before a call waits.
        on_ready: called with each compiled form that was waited for.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> ahead = Ahead()
        >>> double, row = Program(jax.jit(lambda x: 2 * x), ahead), jnp.ones(3)
        >>> with ahead:
        ...     double(row).shape
        (3,)
        >>> double(row).tolist()
        [2.0, 2.0, 2.0]
    """

    def __init__(
        self,
        jitted: Any,
        ahead: Ahead,
        on_wait: Callable[[], None] = lambda: None,
        on_ready: Callable[[Any], None] = lambda compiled: None,
    ) -> None:
        self._jitted = jitted
        self._ahead = ahead
        self._on_wait = on_wait
        self._on_ready = on_ready
        self._coming: list[Future[Any]] = []
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()  # what was traced and compiled, while JAX keeps it

    def __call__(self, *args: Any) -> Any:
        threads = self._ahead.threads
        if threads is not None:
            traced = self._jitted.trace(*args)
            if traced.jaxpr not in self._known:
                self._known.add(traced.jaxpr)
                self._coming.append(threads.submit(traced.lower().compile))
            return traced.out_info
        if self._coming:
            self._wait()
        return self._jitted(*args)

    def _wait(self) -> None:
        """Let all of it be ready, or raise what compiling raised."""
        self._on_wait()
        while self._coming:
            self._coming[0].exception()  # waits; if Ctrl-C ends that, the next call waits on
            self._on_ready(self._coming.pop(0).result())
