"""`Model(precision=...)`: modules compute in fewer bits, while parameters, states and losses keep theirs."""

from typing import Any

import jax
import jax.numpy as jnp

from ._errors import did_you_mean, listing

_PRECISIONS = ("float32", "bfloat16")


def require_precision(precision: Any) -> str | None:
    """The name of the dtype that modules compute in; None leaves everything as it is.

    Raises:
        ValueError: it is no precision that a model can be trained in.
    """
    if precision is None:
        return None
    name = precision if isinstance(precision, str) else getattr(precision, "__name__", repr(precision))
    if name == "float16":
        raise ValueError(
            '`Model(precision="float16")` was given. Gradients below 6e-8 are zero in float16, so losses would have to '
            'be scaled. Give "bfloat16", which has the range of float32.'
        )
    if name not in _PRECISIONS:
        raise ValueError(
            f"`Model(precision={precision!r})` was given. It is one of: {listing(_PRECISIONS)}. Use one of these, or "
            "leave it out." + did_you_mean(name, _PRECISIONS)
        )
    return None if name == "float32" else name


def lowered(tree: Any, precision: str | None) -> Any:
    """What a module gets to see: float32 leaves in the lower precision, all others as they are.

    Args:
        tree: parameters or inputs.
        precision: the dtype that the module computes in; None changes nothing.
    """
    if precision is None:
        return tree

    def lower(leaf: Any) -> Any:
        return jnp.asarray(leaf, precision) if getattr(leaf, "dtype", None) == jnp.float32 else leaf

    return jax.tree.map(lower, tree)
