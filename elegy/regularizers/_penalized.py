"""Which parameters a penalty is taken over, and sums over them."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .._errors import did_you_mean, listing
from .._paths import matches

Only = str | Sequence[str] | None


def sum_over(function: Callable[[jax.Array], jax.Array], leaves: Sequence[jax.Array]) -> jax.Array:
    """The sum of `function` over every number of all leaves, in float32 at least; of no leaves it is 0.

    Example:
        >>> float(sum_over(jnp.abs, [jnp.array([1.0, -2.0]), jnp.array(3.0)]))
        6.0
    """
    sums = [jnp.sum(function(_wide(leaf))) for leaf in leaves]
    return sum(sums[1:], start=sums[0]) if sums else jnp.float32(0)


def penalized(who: str, parameters: Any, only: Only) -> list[jax.Array]:
    """The leaves that `only` names, each once.

    Args:
        who: how errors call the regularizer.
        parameters: nested dicts of arrays.
        only: a pattern of paths, or several; None: all leaves.

    Raises:
        ValueError: a pattern names no parameter; the message lists the paths.

    Example:
        >>> tree = {"linear": {"w": jnp.ones((2, 3)), "b": jnp.zeros(3)}}
        >>> [leaf.shape for leaf in penalized("loss `f`", tree, "**/w")]
        [(2, 3)]
    """
    leaves = {
        jax.tree_util.keystr(path, simple=True, separator="/"): leaf
        for path, leaf in jax.tree_util.tree_flatten_with_path(parameters)[0]
    }
    if only is None:
        return list(leaves.values())
    patterns = (only,) if isinstance(only, str) else tuple(only)
    for pattern in patterns:
        if not any(matches(pattern, path) for path in leaves):
            raise ValueError(
                f'{who} was given `only="{pattern}"`. No parameter has such a path; there are: {listing(leaves)}. '
                "Use one of these, or a pattern of them." + did_you_mean(pattern, leaves)
            )
    return [leaf for path, leaf in leaves.items() if any(matches(pattern, path) for pattern in patterns)]


def as_only(who: str, only: Any) -> Only:
    """`only` as it was given, if it is a pattern, a sequence of patterns or None.

    Raises:
        ValueError: it is something else, or no pattern at all.
    """
    patterns = (only,) if isinstance(only, str) else only
    if only is None or (isinstance(patterns, (list, tuple)) and patterns and all(isinstance(p, str) for p in patterns)):
        return only
    raise ValueError(
        f"{who} was given `only={only!r}`. It is a pattern of paths, or a list of patterns. "
        'Write it like `only="**/w"`.'
    )


def _wide(leaf: Any) -> jax.Array:
    leaf = jnp.asarray(leaf)
    return leaf if leaf.dtype == jnp.float64 else leaf.astype(jnp.float32)
