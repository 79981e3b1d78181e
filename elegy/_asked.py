"""What callbacks may ask their hooks for by name, and where each of the names comes from."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax

from ._inject import Lazy, Offer
from ._offer import NO_LABELS, OF_BATCHES, Outputs, offer_of
from ._programs import Programs
from ._state import RunState, own_copy
from .callbacks import CallbackList

Seen = tuple[Outputs, Mapping[str, Any]]
"""What a forward makes of a first batch, and the batch, in abstract form."""

# Every hook of a pass has these; they need nothing of a step.
_STANDING = ("parameters", "states", "training", "step", "epoch")
_OF_THE_RUN = frozenset(("training", "step", "epoch"))
_AFTER_STEPS = ("on_train_batch_end", "on_test_batch_end")
_PASS = ("begin", "end", "batch_begin", "batch_end")
_TRAINING_ONLY = "There is one in training only. Give the argument a default."
_OWN_STEP = (
    "A step of your own offers callbacks what it gives to `self.update_metrics(state, outputs, batch, logs, "
    "gradients=..., updates=...)`: call it."
)


def standing(hook: str, state_of: Callable[[], RunState], training: bool) -> dict[str, Any]:
    """What every hook of a pass is offered: the arrays as they are now, in copies that no step uses up.

    After a step the hook gets those that the step saw, and from the step alone.
    """
    arrays = () if hook in _AFTER_STEPS else ("parameters", "states")
    numbers = ("step", "epoch")
    return {
        **{name: Lazy(lambda name=name: own_copy(getattr(state_of(), name))) for name in arrays},
        **{name: Lazy(lambda name=name: int(jax.device_get(getattr(state_of(), name)))) for name in numbers},
        "training": training,
    }


def fit_offers(seen: Seen, validations: Collection[Seen], *, accumulate: int = 1) -> dict[str, Collection[str]]:
    """By hook that `fit` calls the names that it is offered.

    Args:
        seen: of the training data.
        validations: of each validation set.
        accumulate: how many batches a training step takes.
    """
    offers: dict[str, Collection[str]] = {f"on_train_{when}": ("run", *_STANDING) for when in _PASS}
    offers |= {f"on_epoch_{when}": ("run", *_STANDING) for when in ("begin", "end")}
    step = _step_offer([seen], "run", "gradients", "updates")
    offers |= {"on_train_batch_end": step if accumulate == 1 else _of_update(step), "on_exception": ("run",)}
    return offers | (_test_offers(validations, "run") if validations else {})


def evaluation_offers(seen: Seen) -> dict[str, Collection[str]]:
    """By hook that `evaluate` calls the names that it is offered."""
    return {**_test_offers([seen]), "on_exception": ()}


def prediction_offers(batch: Mapping[str, Any]) -> dict[str, Collection[str]]:
    """By hook that `predict` calls the names that it is offered."""
    offers: dict[str, Collection[str]] = {f"on_predict_{when}": _STANDING for when in _PASS}
    of_batch = dict.fromkeys((*prediction_offer(batch), "y_pred", *_STANDING))
    return {**offers, "on_predict_batch_end": Offer(of_batch, absent={"y_true": NO_LABELS}), "on_exception": ()}


def prediction_offer(batch: Mapping[str, Any]) -> dict[str, Any]:
    """What a batch has to offer besides its outputs; the weights are always there."""
    return {"sample_weight": None, "class_weight": None, **batch}


def names_of_step(callbacks: CallbackList, hook: str) -> tuple[str, ...]:
    """What callbacks ask `hook` for that only the step itself has."""
    return tuple(sorted(callbacks.asked_names(hook) - _OF_THE_RUN))


def check_step(
    programs: Programs, callbacks: CallbackList, hook: str, state: RunState, seen: Seen, metrics: dict[str, Any]
) -> None:
    """Raise if the step does not offer what callbacks ask `hook` for; nothing is run.

    Args:
        programs: the steps.
        callbacks: who asks.
        hook: `on_train_batch_end` or `on_test_batch_end`.
        state: the run's state.
        seen: of the data.
        metrics: the metrics' empty states.

    Raises:
        InjectionError: a name without a default is missing.
    """
    names, (outputs, batch) = names_of_step(callbacks, hook), seen
    if names:
        found = programs.found(state, batch, outputs.training, metrics, names)
        missing = {name: _OWN_STEP for name in names if name not in found}
        there = [*(["run"] if callbacks.is_offered(hook, "run") else []), *sorted(_OF_THE_RUN | found)]
        where = "this `train_step`" if outputs.training else "this `test_step`"
        callbacks.check(hook, Offer(dict.fromkeys(there), absent=missing), where=where)


def _of_update(step: Offer) -> Offer:
    """What a step that takes several batches has of all that a step with one has."""
    kept = ("run", *_STANDING, "losses", "gradients", "updates")
    absent = {name: OF_BATCHES for name in (*step, *step.absent) if name not in kept}
    return Offer(dict.fromkeys(kept), absent=absent)


def _test_offers(passes: Collection[Seen], *further: str) -> dict[str, Collection[str]]:
    offers: dict[str, Collection[str]] = {f"on_test_{when}": (*further, *_STANDING) for when in _PASS}
    return {**offers, "on_test_batch_end": _step_offer(passes, *further)}


def _step_offer(passes: Collection[Seen], *further: str) -> Offer:
    """The names that the steps of all these passes have, with the reasons why others are missing."""
    offers = [offer_of(outputs, batch) for outputs, batch in passes]
    names = [name for name in offers[0] if all(name in offer for offer in offers)]
    absent: dict[str, str] = {}
    if "updates" not in further:
        absent |= {"gradients": _TRAINING_ONLY, "updates": _TRAINING_ONLY}
    for offer in offers:
        absent |= offer.absent
    return Offer(dict.fromkeys((*names, "losses", "summaries", *further)), absent=absent)
