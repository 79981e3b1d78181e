"""The errors users may catch, and the words that every message is made of."""

import difflib
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


class InjectionError(TypeError):
    """A callable asks for an argument that this step does not have.

    Raised before the first step is compiled, for modules, losses, metrics and callbacks alike.

    Example:
        >>> import elegy
        >>> issubclass(elegy.InjectionError, TypeError)
        True
    """


class ModuleOrderError(RuntimeError):
    """A module's `call` made other children with arrays than it made when it was initialized.

    Example:
        >>> import elegy
        >>> issubclass(elegy.ModuleOrderError, RuntimeError)
        True
    """


def did_you_mean(name: str, offer: Iterable[str]) -> str:
    """` Did you mean `y_true`?` with the nearest of `offer`, or an empty string."""
    options = [str(option) for option in offer]
    near = difflib.get_close_matches(name, options, n=1, cutoff=0.6)
    if not near:
        near = sorted((o for o in options if _common_prefix(name, o) >= 3), key=lambda o: -_common_prefix(name, o))
    return f" Did you mean `{near[0]}`?" if near else ""


def listing(names: Iterable[Any]) -> str:
    """The names on offer as `a, b, c`, or `nothing`."""
    return ", ".join(str(name) for name in names) or "nothing"


def short_type(leaf: Any) -> str:
    """An array's dtype and shape as errors print them: `f32[32,10]`; other values by their type's name."""
    if not (hasattr(leaf, "shape") and hasattr(leaf, "dtype")):
        return type(leaf).__name__
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return f"key[{','.join(map(str, leaf.shape))}]"
    dtype = np.dtype(leaf.dtype)
    kind = {"b": "bool", "O": "object", "U": "str", "S": "bytes"}.get(dtype.kind)
    if kind is None:
        kind = "bf16" if dtype.name == "bfloat16" else f"{dtype.kind}{8 * dtype.itemsize}"
    return f"{kind}[{','.join(map(str, leaf.shape))}]"


def _common_prefix(a: str, b: str) -> int:
    return next((i for i, (p, q) in enumerate(zip(a, b, strict=False)) if p != q), min(len(a), len(b)))
