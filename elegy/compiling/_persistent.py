"""JAX's persistent cache for as long as a verb runs: another process then compiles nothing anew."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import jax
from jax.experimental.compilation_cache.compilation_cache import reset_cache

Verb = TypeVar("Verb", bound=Callable[..., Any])

# Programs of all sizes: a fit waits for many small ones.
_SETTINGS = {"jax_persistent_cache_min_compile_time_secs": 0.0, "jax_persistent_cache_min_entry_size_bytes": -1}


@contextlib.contextmanager
def persistent_cache(path: Path | None) -> Iterator[None]:
    """While the block runs, what is compiled is looked up in a folder, and kept there.

    JAX has one such cache in a process. So the block sets three of JAX's settings, `jax_compilation_cache_dir`,
    `jax_persistent_cache_min_compile_time_secs` and `jax_persistent_cache_min_entry_size_bytes`, for all threads, and
    puts them back.

    Args:
        path: the folder, made if there is none; None leaves everything as it is.
    """
    if path is None:
        yield
        return
    path.mkdir(parents=True, exist_ok=True)
    wanted = {"jax_compilation_cache_dir": str(path), **_SETTINGS}
    before = {name: getattr(jax.config, name) for name in wanted}
    _set(wanted)
    try:
        yield
    finally:
        _set(before)


def with_persistent_cache(verb: Verb) -> Verb:
    """The method of an object whose `compilation_cache` is a folder or None, run with that cache."""

    @functools.wraps(verb)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        with persistent_cache(self.compilation_cache):
            return verb(self, *args, **kwargs)

    return run  # pyright: ignore[reportReturnType]: of the verb's own type, as `wraps` says


def require_folder(path: Any) -> Path | None:
    """The folder of a cache as an absolute path, or None.

    Raises:
        TypeError: it is no path.
        ValueError: there is a file of that name.
    """
    if path is None:
        return None
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"`Model(compilation_cache={path!r})` was given. It is the folder in which compiled programs are kept. "
            'Give a path, like `compilation_cache="~/.cache/elegy"`, or leave it out.'
        )
    folder = Path(path).expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            f"`Model(compilation_cache={str(path)!r})` was given. That is a file. Give a folder, which may be new."
        )
    return folder


def _set(settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        jax.config.update(name, value)
    reset_cache()  # the next compilation begins with the folder that is set then
