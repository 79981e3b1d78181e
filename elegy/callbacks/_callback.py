"""The base of all callbacks: every hook there is, each doing nothing."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Stop:
    """What a hook returns to end the fit.

    The launch that runs is finished, the epoch's hooks and `on_train_end` are called, and `fit` returns its history.

    Args:
        reason: why, in words for people; it becomes `run.stop_reason`.

    Example:
        >>> Stop("the loss is low enough")
        Stop(reason='the loss is low enough')
    """

    reason: str = "a callback asked for it"


class Callback:
    """Subclass it and override the hooks you need; the names, their order and their arguments are those of Keras.

    A hook takes Keras' arguments, or asks by name for any of them and for `run`, a read-only view of the fit
    (`run.epoch`, `run.step`, `run.logs`, `run.state`, `run.model`): `def on_epoch_end(self, logs, run)`. `epoch` and
    `batch` count from 0. `logs` is a mapping that yields Python floats; reading it waits for the device.

    Like a loss, a hook may ask for more: `def on_train_batch_end(self, batch, y_pred, logs)`.

    - Every hook of a pass: `parameters`, `states`, `training`, `step` and `epoch`, as they are at that moment.
    - `on_train_batch_end` and `on_test_batch_end`: what the losses of that step saw, so `parameters` are those before
      the update and `step` is its number from 0: `x`, `y_true`, `y_pred`, `sample_weight`, `class_weight`, the columns
      of a named batch, `losses` by log name, `intermediates` and `summaries` by path; in training `gradients` and
      `updates` too.
    - `on_predict_batch_end`: the columns of the batch, and `y_pred`.

    A step computes and returns only what somebody asks for. What it returns are arrays on the device, yours to keep:
    nothing waits until you read them, with `np.asarray(y_pred)`. Predictions are NumPy arrays. A `train_step` of your
    own offers what it gives to `self.update_metrics`.

    What shall run inside the compiled step, now and then, is a method marked with `elegy.in_step`.

    A hook returns None, `elegy.Stop("reason")`, or a dict of numbers that is added to the logs (from
    `on_epoch_end` and `on_test_end` it reaches the bar and the history). `self.model.stop_training = True` works too.

    Overriding `on_train_batch_begin` makes `fit` run single steps. `on_train_batch_end` alone may be called after
    several steps have run, once for each with that step's own logs; a stop or a change made there then takes effect
    after them.

    Attributes:
        model: the model that runs.
        params: `verbose`, `epochs` and `steps` (of one epoch; None if unknown).
        every_step: set it to True in a subclass to see each step before the next one starts.
        is_logger: set it to True in a subclass that only records: when a hook of it fails, there is one warning and
            the fit goes on. What any other callback raises ends the fit.

    Example:
        >>> class StopWhenGood(Callback):
        ...     def on_epoch_end(self, epoch, logs):
        ...         return Stop("accurate enough") if logs["accuracy"] > 0.99 else None
        >>> StopWhenGood().on_epoch_end(3, {"accuracy": 0.995})
        Stop(reason='accurate enough')
    """

    model: Any = None
    params: Mapping[str, Any] = types.MappingProxyType({})
    every_step: bool = False
    is_logger: bool = False

    def set_model(self, model: Any) -> None:
        """Learn which model runs; called before the first hook."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Learn `verbose`, `epochs` and `steps`; called before the first hook."""
        self.params = params

    def state(self) -> dict[str, Any]:
        """What a fit that goes on later needs to know, in nested dicts of numbers, strings and arrays."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state()` gave; called after `on_train_begin`, which starts anew, and before the first epoch.

        Args:
            state: what this callback's `state()` returned.
        """
        del state

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> Any:
        """Called once, before the first epoch; `logs` is empty."""

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> Any:
        """Called once, after the last epoch, also after a stop or Ctrl-C; `logs` are those of that epoch."""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> Any:
        """Called before the first step of an epoch; `logs` is empty."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> Any:
        """Called after the steps and the validation of an epoch; `logs` hold both, exact over the epoch."""

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> Any:
        """Called before a training step; overriding it makes `fit` run single steps."""

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> Any:
        """Called after a training step; `logs` hold each loss of that step and the running metrics."""

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> Any:
        """Called before an evaluation, also before each validation of a fit."""

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> Any:
        """Called after an evaluation or validation; `logs` are its exact results."""

    def on_test_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> Any:
        """Called before a batch is evaluated."""

    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> Any:
        """Called after a batch was evaluated; `logs` hold each loss of that batch and the running metrics."""

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> Any:
        """Called before a prediction."""

    def on_predict_end(self, logs: Mapping[str, Any] | None = None) -> Any:
        """Called after a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> Any:
        """Called before a batch is predicted."""

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> Any:
        """Called after a batch was predicted."""

    def on_exception(self, exception: BaseException) -> Any:
        """Called when `fit` is about to raise `exception`; `on_train_end` is then not called."""
