"""Checks of what users give to the verbs, before anything is compiled."""

from collections.abc import Callable, Iterable, Mapping
from numbers import Integral
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._errors import did_you_mean, listing
from ._inject import Offer, arguments_of, wants
from ._objective import Objective
from .data import Batch, Source, is_stream

# What users of other frameworks and of older versions type, and what to write here.
_ELSEWHERE = {
    "loss_weights": 'Give each loss its own: `elegy.losses.MeanSquaredError(on="key", weight=10.0)`.',
    "weighted_metrics": "Put them into `metrics=`: every metric that asks for `sample_weight` gets it.",
    "eager": "Write `run_eagerly=True`.",
    "rng": "Write `seed=42`.",
    "accumulate": "Write `Model(..., accumulate=4)`.",
    "accumulate_grad_batches": "Write `Model(..., accumulate=4)`.",
    "gradient_accumulation_steps": "Write `Model(..., accumulate=4)`.",
    "precision": 'Write `Model(..., precision="bfloat16")`.',
    "inputs": "Here it is called `x`.",
    "preds": "Here it is called `y_pred`.",
    "target": "Here it is called `y`, and `y_true` in losses and metrics.",
    "labels": "Here it is called `y`.",
    "return_dict": "`evaluate` always returns a dict; leave it out.",
}


def refuse_unknown(verb: str, unknown: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise for keyword arguments that do not exist, saying what to write instead.

    Raises:
        TypeError: there is one.
    """
    for name in unknown:
        advice = _ELSEWHERE.get(name)
        raise TypeError(
            f"`{verb}` was given `{name}=`, which does not exist. It takes: {listing(known)}. "
            + (advice or "Leave it out." + did_you_mean(name, known))
        )


def refuse_compile(*args: Any, **kwargs: Any) -> None:
    """Raise, since there is nothing to compile: Keras users bring the habit along.

    Raises:
        TypeError: always.
    """
    del args, kwargs
    raise TypeError(
        "`compile` was called, which does not exist. A model has its loss, metrics and optimizer from the start. "
        "Write `Model(module, loss=..., metrics=..., optimizer=...)`."
    )


def require_count(name: str, value: Any, *, least: int = 1) -> None:
    """Raise unless `value` is None or a whole number of at least `least`.

    Raises:
        ValueError: it is not.
    """
    if value is None or (isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least):
        return
    raise ValueError(f"`{name}={value!r}` was given. It is a whole number, at least {least}. Give one.")


def epochs_to_validate(frequency: Any) -> Callable[[int], bool]:
    """Which epochs are validated: every n-th, or those listed (counted from 1, as Keras does).

    Raises:
        ValueError: the frequency is neither.
    """
    if isinstance(frequency, (list, tuple, set, frozenset)) and all(isinstance(e, Integral) for e in frequency):
        wanted = frozenset(int(epoch) for epoch in frequency)
        return lambda epoch: epoch + 1 in wanted
    if isinstance(frequency, Integral) and not isinstance(frequency, bool) and int(frequency) >= 1:
        return lambda epoch: (epoch + 1) % int(frequency) == 0
    raise ValueError(
        f"`validation_freq={frequency!r}` was given. It is a whole number of epochs, at least 1, or a list of epochs "
        "counted from 1. Give one of these."
    )


def class_weight_columns(class_weight: Any, objective: Objective) -> dict[str, Any]:
    """The column of class weights that every training batch gets; empty if none were given.

    Raises:
        TypeError, ValueError: they are no mapping from classes to numbers, or no loss asks for them.
    """
    if class_weight is None:
        return {}
    if not any("class_weight" in leaf.asked.names or isinstance(leaf.consumer, str) for leaf in objective.leaves):
        raise ValueError(
            "`class_weight` was given. No loss or metric of the model asks for it. Use a crossentropy, or write a loss "
            "that asks for `class_weight`."
        )
    return {"class_weight": _class_weights(class_weight, "class_weight")}


def _class_weights(value: Any, where: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(
            f"`{where}` is a {type(value).__name__}. It maps classes to weights. Write `{{0: 1.0, 1: 2.5}}`."
        )
    weights: dict[Any, Any] = {}
    for key, weight in value.items():
        if isinstance(weight, Mapping):
            weights[key] = _class_weights(weight, f"{where}[{key!r}]")
        elif isinstance(weight, (int, float, np.number)) and np.isfinite(weight) and weight >= 0:
            weights[key] = jnp.float32(weight)
        else:
            raise ValueError(f"`{where}[{key!r}]` is {weight!r}. A weight is a finite number, at least 0. Correct it.")
    return weights


def data_check(objective: Objective, y_pred: Any) -> Callable[[Batch], None]:
    """A function that lets every loss and metric look at the labels of a batch on the host.

    Args:
        objective: the losses and metrics.
        y_pred: the abstract outputs of the module.
    """
    consumers = [(leaf, objective.resolved.get(leaf.key, leaf.consumer)) for leaf in objective.leaves]
    # Signatures and names are read once, since streams are looked at batch by batch.
    looks = [
        (leaf, leaf.who, consumer.check, wants(consumer.check))
        for leaf, consumer in consumers
        if callable(getattr(consumer, "check", None))
    ]

    def check(batch: Batch) -> None:
        offer = Offer({"sample_weight": None, "class_weight": None, **batch, "y_pred": y_pred})
        for leaf, who, look, asked in looks:
            arguments = arguments_of(asked, leaf.view(offer, "the data"), who=who, where="the data")
            look(**{name: _on_host(value) for name, value in arguments.items()})

    return check


def _on_host(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf, tree)


def check_weight_keys(sample_weight: Any, objective: Objective) -> None:
    """Raise if weights given per output name an output that no loss or metric looks at.

    Raises:
        ValueError: there is such a key.
    """
    if not isinstance(sample_weight, Mapping):
        return
    seen = {leaf.on if not isinstance(leaf.on, (list, tuple)) else leaf.on[0] for leaf in objective.leaves} - {None}
    for key in sample_weight:
        if key not in seen:
            raise ValueError(
                f"`sample_weight` was given for the output `{key}`. No loss or metric has `on={key!r}`; they look at: "
                f"{listing(sorted(map(str, seen)))}. Give one of them `on={key!r}`, or leave these weights out."
            )


def named_sets(validation_data: Any) -> dict[str, Any]:
    """By log prefix the validation sets: one with `val_`, or several named ones with `val_<name>_`."""
    if validation_data is None:
        return {}
    is_dict = isinstance(validation_data, Mapping) and not isinstance(validation_data, Batch)
    if is_dict and not {"x", "y_true"} <= set(validation_data) and validation_data:
        if all(isinstance(v, (tuple, list, Batch, Source)) or is_stream(v) for v in validation_data.values()):
            return {f"val_{name}_": part for name, part in validation_data.items()}
    return {"val_": validation_data}


def unpacked(data: Any, what: str) -> tuple[Any, Any, Any]:
    """`x, y, sample_weight` of a tuple; anything else is all `x`.

    Raises:
        ValueError: the tuple has other than one to three parts.
    """
    if not isinstance(data, (tuple, list)) or hasattr(data, "_fields"):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"`{what}` is a {type(data).__name__} of {len(data)} values. It is `(x,)`, `(x, y)` or "
            "`(x, y, sample_weight)`. Give one of these."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight
