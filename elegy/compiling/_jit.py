"""The jit of Elegy's programs: what `jax.jit` does, after the rewrite for the backend."""

from collections.abc import Callable, Sequence
from typing import Any

import jax

from ._options import cpu_options
from ._pass import Rule
from ._rewritten import rewritten
from ._rules import ALL_RULES, LAYOUT_ONLY


def jit(function: Callable[..., Any], *, rewrite: bool = True, donate_argnums: Sequence[int] = ()) -> Any:
    """Compile a function when it is called, rewritten where that makes it faster: on CPU.

    On other backends this is `jax.jit`. The result is for calls of its own: inside of other programs its parts are
    rewritten with theirs.

    Args:
        function: of pytrees of arrays, with pytrees of arrays as result.
        rewrite: False leaves the maths and the compiler's options alone, and only puts convolutions into the layout
            that loops need; the results are then bit by bit those of the plain single step.
        donate_argnums: the arguments whose buffers the program may use up.

    Returns:
        What `jax.jit` returns.

    Example:
        >>> import jax.numpy as jnp
        >>> float(jit(jnp.sum)(jnp.arange(4.0)))
        6.0
    """
    if default_platform() != "cpu":
        return jax.jit(function, donate_argnums=donate_argnums)
    rules: Sequence[Rule] = ALL_RULES if rewrite else LAYOUT_ONLY
    options = dict(cpu_options()) if rewrite else None
    return jax.jit(rewritten(function, rules), donate_argnums=donate_argnums, compiler_options=options)


def default_platform() -> str:
    """The kind of device that runs what is not bound to one."""
    device = jax.config.jax_default_device  # pyright: ignore[reportAttributeAccessIssue]: set when JAX is imported
    if device is None:
        return jax.default_backend()
    return device if isinstance(device, str) else device.platform
