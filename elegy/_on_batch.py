"""The verbs that take one batch, for loops that users write themselves."""

from typing import Any

import jax

from ._arguments import check_weight_keys, class_weight_columns, data_check
from ._ema import evaluated
from ._flat import whole
from ._logs import LazyLogs
from ._state import RunState, own_copy
from ._told import PassState
from ._trainer import Trainer, at_start
from .data import Batch, as_source


def train_on_batch(trainer: Trainer, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> LazyLogs:
    """See `Model.train_on_batch`."""
    batch = Batch(**one_batch(x, y, sample_weight), **class_weight_columns(class_weight, trainer.recipe.objective))
    trainer.require_trainable(batch)
    _check(trainer, batch, training=True)
    home = trainer.home
    try:
        state, told, _ = trainer.programs.train_logged(trainer.with_live_numbers(home.take()), batch)
    except BaseException:
        home.recover()
        raise
    home.put(whole(state))
    return LazyLogs(told.logs)


def test_on_batch(trainer: Trainer, x: Any, y: Any, sample_weight: Any) -> LazyLogs:
    """See `Model.test_on_batch`."""
    batch = one_batch(x, y, sample_weight)
    trainer.require_objective(batch)
    empty = _check(trainer, batch, training=False)
    running = own_copy(empty) if trainer.testing is None else trainer.testing
    trainer.testing, told, _ = trainer.programs.test_logged(evaluated(trainer.home.look()), running, batch)
    return LazyLogs(told.logs)


def predict_on_batch(trainer: Trainer, x: Any) -> Any:
    """See `Model.predict_on_batch`."""
    batch = one_batch(x, None, None)
    trainer.initialize(batch)
    return jax.device_get(trainer.programs.predict(evaluated(trainer.home.look()), batch))


def initialized(trainer: Trainer, x: Any, y: Any, sample_weight: Any) -> RunState:
    """See `Model.init`."""
    batch = as_source(x, y, sample_weight).peek()
    unlabeled = "y_true" not in batch and any(
        "y_true" in leaf.asked.required for leaf in trainer.recipe.objective.leaves
    )
    if not unlabeled and trainer.is_trainable(batch):
        _check(trainer, batch, training=True)
    else:
        trainer.initialize(batch)
    return trainer.home.hand_out()


def one_batch(x: Any, y: Any, sample_weight: Any) -> Batch:
    """Arrays as one batch, with all their rows."""
    source = as_source(x, y, sample_weight)
    if source.samples is None:
        raise ValueError(
            f"One batch was asked for, and {type(x).__name__} was given. A batch is made of arrays. "
            "Give arrays, or call `fit` with the stream."
        )
    return as_source(x, y, sample_weight, batch_size=source.samples).peek()


def _check(trainer: Trainer, batch: Batch, training: bool) -> PassState:
    check_weight_keys(batch.get("sample_weight"), trainer.recipe.objective)
    ready = trainer.ready(batch, training=training)
    data_check(trainer.recipe.objective, ready.y_pred)(batch)
    state = trainer.home.look()
    if training and (state.sums is None or state.sums.layout != ready.empty.sums.layout):
        trainer.home.put(at_start(state, ready.empty), exposed=trainer.home.is_exposed)
    return ready.empty
