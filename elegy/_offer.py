"""What a step has to offer to losses and metrics, by name."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ._inject import OFFERED, Lazy, Offer
from ._state import RunState
from .module import EVAL, TRAIN, Extras, consumer_key, domain_key

NO_LABELS = "Give labels with `y=`, or write a function that does not ask for them."
OF_BATCHES = "`Model(accumulate=...)` makes one step from several batches, which have it. Ask for it in a metric."


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Outputs:
    """What one forward made.

    Attributes:
        y_pred: what the module returned.
        state: the run's state after the forward: the very parameters that were used, and the new `states`.
        extras: what hooks added while the module ran, and the outputs of its modules if somebody asks for them.
        training: whether it was a training step.
    """

    y_pred: Any
    state: RunState
    extras: Extras
    training: bool = dataclasses.field(metadata={"static": True})


def step_key(state: RunState, training: bool) -> jax.Array:
    """The key of this step: of the step counter in training, of the place in the pass otherwise."""
    return domain_key(state.seed, TRAIN, state.step) if training else domain_key(state.seed, EVAL, state.count)


def where_of(training: bool) -> str:
    """How errors call a step."""
    return "a train step" if training else "a test step"


def offer_of(outputs: Outputs, batch: Mapping[str, Any]) -> Offer:
    """Everything that losses and metrics may ask for after a forward; made when asked for."""
    state = outputs.state
    further = tuple(name for name in batch if name not in OFFERED)
    values = {
        "x": batch.get("x"),
        "y_true": batch.get("y_true"),
        "y_pred": Lazy(lambda: widened(outputs.y_pred)),
        "sample_weight": batch.get("sample_weight"),
        "class_weight": batch.get("class_weight"),
        "training": outputs.training,
        "parameters": state.parameters,
        "states": state.states,
        "intermediates": outputs.extras.intermediates,
        "step": state.step,
        "epoch": state.epoch,
        **{name: batch[name] for name in further},
    }
    if batch.get("y_true") is None:
        del values["y_true"]
        return Offer(values, further=further, absent={"y_true": NO_LABELS})
    return Offer(values, further=further)


def with_key(offer: Offer, state: RunState, training: bool, consumer: str) -> Offer:
    """The offer with the consumer's own random key, which no other consumer changes."""
    return offer.extended({"key": Lazy(lambda: consumer_key(step_key(state, training), consumer, 0))})


def widened(tree: Any) -> Any:
    """Half-precision outputs as float32; losses and metrics do not sum in half precision."""

    def widen(leaf: Any) -> Any:
        half = hasattr(leaf, "dtype") and leaf.dtype in (jnp.bfloat16, jnp.float16)
        return leaf.astype(jnp.float32) if half else leaf

    return jax.tree.map(widen, tree)
