"""What metrics, callbacks and loggers add to a fit of the small MLP."""

import dataclasses
import tempfile
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

import elegy

from ..measure import Finding, Pace, ratio, unseen_terminal, warm
from ..runners.elegy_fit import MLP, initialize, make_model
from ..works import WORKS, Work


class Watched(MLP):
    """The MLP with a metric of its own."""

    def call(self, x: jax.Array) -> jax.Array:
        scores = super().call(x)
        elegy.add_metric("largest", scores.max())
        return scores


class AtEpochs(elegy.Callback):
    """Does next to nothing at the begin and end of each epoch."""

    def __init__(self) -> None:
        self.seen = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seen += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen += len(logs or {})


class EveryLoss(elegy.Callback):
    """Reads the loss of every step."""

    def __init__(self) -> None:
        self.total = 0.0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.total += float((logs or {})["loss"])


@elegy.in_step(every=50)
def ten_steps(x: jax.Array, y_true: jax.Array, parameters: Any, gradients: Any) -> dict[str, jax.Array]:
    """The loss of this batch ten steps of gradient descent later, and how steep it is now."""

    def loss(parameters: Any) -> jax.Array:
        hidden, scores = parameters["layer_0"], parameters["layer_1"]
        outputs = jax.nn.relu(x @ hidden["w"] + hidden["b"]) @ scores["w"] + scores["b"]
        return crossentropy(y_true, outputs).mean()

    def descended(number: Any, parameters: Any) -> Any:
        del number
        return jax.tree.map(lambda value, slope: value - 0.01 * slope, parameters, jax.grad(loss)(parameters))

    later = jax.lax.fori_loop(0, 10, descended, parameters)
    return {"loss_later": loss(later), "steepness": jnp.linalg.norm(gradients["layer_0"]["w"])}


def top_5(y_true: Any, y_pred: Any) -> Any:
    return (jax.lax.top_k(y_pred, 5)[1] == y_true[:, None]).any(-1)


def squared(y_true: Any, y_pred: Any) -> Any:
    return elegy.losses.mean_squared_error(jax.nn.one_hot(y_true, 10), y_pred)


def absolute(y_true: Any, y_pred: Any) -> Any:
    return elegy.losses.mean_absolute_error(jax.nn.one_hot(y_true, 10), y_pred)


def crossentropy(y_true: Any, y_pred: Any) -> Any:
    return elegy.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)


def metrics(pace: Pace) -> list[Finding]:
    accuracy = elegy.metrics.SparseCategoricalAccuracy()
    many = [accuracy, top_5, crossentropy, squared, absolute, elegy.metrics.Mean(), elegy.metrics.Sum()]
    work = WORKS["mlp"].scaled(pace.scale)
    watched = elegy.Model(
        Watched(work),
        loss=elegy.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=many,
        optimizer="adam",
    )
    acts = {"plain": _fit(work, make_model(work)), "more": _fit(work, watched)}
    return [Finding("8 metrics instead of 1, small MLP", ratio(warm(acts, _patient(pace)), "more", "plain"), 1.05)]


def callbacks(pace: Pace) -> list[Finding]:
    return _with("4 callbacks with epoch hooks, small MLP", lambda: [AtEpochs() for _ in range(4)], 1.05, pace)


def tensorboard(pace: Pace) -> list[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        return _with("TensorBoard, small MLP", lambda: elegy.callbacks.TensorBoard(folder), 1.05, pace)


def batch_hook(pace: Pace) -> list[Finding]:
    return _with("a batch hook that reads every step's loss, small MLP", EveryLoss, 1.15, pace)


def in_step(pace: Pace) -> list[Finding]:
    return _with("a hook inside the step that costs ten steps, every 50, small MLP", lambda: [ten_steps], 1.30, pace)


def _with(what: str, make_callbacks: Callable[[], Any], limit: float, pace: Pace) -> list[Finding]:
    work = WORKS["mlp"].scaled(pace.scale)
    acts = {"plain": _fit(work, make_model(work)), "more": _fit(work, make_model(work), make_callbacks)}
    return [Finding(what, ratio(warm(acts, _patient(pace)), "more", "plain"), limit)]


def _patient(pace: Pace) -> Pace:
    """Nearly twice as many rounds: a step of the small MLP has two speeds, as XLA's threads fall asleep or do not."""
    return dataclasses.replace(pace, repeats=2 * pace.repeats - 1)


def _fit(work: Work, model: elegy.Model, make_callbacks: Callable[[], Any] = list) -> Callable[[int], Any]:
    x, y = work.data()
    initial = initialize(model, work, x, y)

    def act(epochs: int) -> None:
        model.state = initial
        with unseen_terminal():
            model.fit(x, y, batch_size=work.batch, epochs=epochs, verbose=1, callbacks=make_callbacks())

    return act
