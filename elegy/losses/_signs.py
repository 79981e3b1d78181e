"""Yes/no labels as the signs that the hinge losses are made of."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def signed(y_true: jax.Array) -> jax.Array:
    """Labels with 0 read as -1; others stay.

    Args:
        y_true: labels of -1, 0 and 1, floating, any shape.

    Example:
        >>> signed(jnp.array([0.0, 1.0, -1.0]))
        Array([-1.,  1., -1.], dtype=float32)
    """
    return jnp.where(y_true == 0, -1.0, y_true)


def check_signs(who: str, y_true: Any) -> None:
    """Refuse labels that are no signs; reads the values, so it runs on the host.

    Args:
        who: how errors call the loss.
        y_true: labels, a NumPy array, `(rows, *d)`.

    Raises:
        ValueError: a label is none of -1, 0 and 1; the first one and its row are named.

    Example:
        >>> check_signs("loss `hinge`", np.array([0, 1, -1]))
    """
    labels = np.asarray(y_true)
    wrong = np.argwhere(~np.isin(labels, (-1, 0, 1)))
    if len(wrong):
        place = tuple(wrong[0])
        raise ValueError(
            f"{who} was given the label {labels[place]}, in row {place[0] if place else 0}. It takes yes as 1, and no "
            "as -1 or 0. Map the labels to these, or use a loss for classes like `CategoricalHinge`."
        )
