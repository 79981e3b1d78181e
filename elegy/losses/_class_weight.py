"""Class weights: one factor for each label, as the crossentropies use them in training."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from .._errors import listing


def class_weights(who: str, labels: jax.Array, class_weight: Any, num_classes: int) -> jax.Array:
    """The weight of each label's class; a class that is not listed weighs 1.

    Args:
        who: how errors call the loss.
        labels: numbers of classes, integers of any shape.
        class_weight: a mapping from class to weight; weights are numbers or scalar arrays.
        num_classes: how many classes there are.

    Returns:
        float32 weights, shaped like the labels.

    Raises:
        TypeError: `class_weight` is no mapping.
        ValueError: it lists something that is no class, or weights per output.

    Example:
        >>> class_weights("loss `ce`", jnp.array([0, 2, 1]), {2: 3.0}, 3)
        Array([1., 3., 1.], dtype=float32)
    """
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            f"{who} was given a `class_weight` of type {type(class_weight).__name__}. It maps classes to weights. "
            "Write `{0: 1.0, 1: 2.5}`."
        )
    if any(isinstance(weight, Mapping) for weight in class_weight.values()):
        raise ValueError(
            f"{who} was given `class_weight` per output, for {listing(class_weight)}. It looks at no single output. "
            "Give it `on=`."
        )
    if not class_weight:
        return jnp.ones(labels.shape, jnp.float32)
    classes = [_class_number(who, key, num_classes) for key in class_weight]
    weights = jnp.stack([jnp.asarray(weight).astype(jnp.float32) for weight in class_weight.values()])
    table = jnp.ones(num_classes, jnp.float32).at[jnp.asarray(classes)].set(weights)
    return jnp.take(table, labels.astype(jnp.int32), mode="clip")


def _class_number(who: str, key: Any, num_classes: int) -> int:
    if key in range(num_classes):  # also 1.0: `np.unique` of float labels gives floats
        return int(key)
    raise ValueError(
        f"{who} was given `class_weight` for the class {key!r}. There are {num_classes} classes, numbered 0 to "
        f"{num_classes - 1}. Correct the class; with several outputs, give class weights per output."
    )
