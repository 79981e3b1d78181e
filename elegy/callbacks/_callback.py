"""What a callback is: its hooks, in Keras' names and order, and what it may answer."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Any

# The arguments of each hook in Keras' order; hooks whose arguments have other names are called by position.
KERAS_ORDER: Mapping[str, tuple[str, ...]] = {
    "on_train_begin": ("logs",),
    "on_train_end": ("logs",),
    "on_epoch_begin": ("epoch", "logs"),
    "on_epoch_end": ("epoch", "logs"),
    "on_train_batch_begin": ("batch", "logs"),
    "on_train_batch_end": ("batch", "logs"),
    "on_test_begin": ("logs",),
    "on_test_end": ("logs",),
    "on_test_batch_begin": ("batch", "logs"),
    "on_test_batch_end": ("batch", "logs"),
    "on_predict_begin": ("logs",),
    "on_predict_end": ("logs",),
    "on_predict_batch_begin": ("batch", "logs"),
    "on_predict_batch_end": ("batch", "logs"),
    "on_exception": ("exception",),
}

# Keras' short names; the long name wins where a callback has both.
ALIASES: Mapping[str, str] = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


@dataclasses.dataclass(frozen=True)
class Stop:
    """A callback's answer that ends the fit after the launch that runs.

    Attributes:
        reason: one sentence for the user.

    Example:
        >>> import elegy
        >>> elegy.Stop("the loss is low enough").reason
        'the loss is low enough'
    """

    reason: str


Answer = Stop | Mapping[str, Any] | None


class Callback:
    """Is told what happens while a model trains, evaluates or predicts; override the hooks you need.

    A hook gets what its arguments name: `logs`, `run` (read-only: `run.epoch`, `run.step`, `run.logs`, `run.state`,
    `run.model`), and `epoch`, `batch` or `exception` where the hook has them. With other argument names it is called by
    position, in the order shown here. Epochs and batches count from 0.

    A hook answers None, a dict of scalars that is merged into `logs`, or `elegy.Stop("reason")`, which ends the fit.
    Setting `self.model.stop_training = True` ends it too.

    `logs` is a mapping of Python floats; reading it waits for the device, so a hook that does not read costs little.
    A callback that overrides `on_train_batch_begin` or sets `every_step = True` makes the fit run one step at a time. With
    `on_train_batch_end` alone, several steps may run in one launch; the hook is then called once for each of them after the
    launch, and an answer takes effect at the launch's end.

    Attributes:
        model: the model, while it calls the callback.
        params: `{"verbose", "epochs", "steps"}` of the verb that runs; `steps` is None where it is not known.
        every_step: True makes the fit run one step at a time.

    Example:
        >>> import elegy
        >>> class Target(elegy.Callback):
        ...     def on_epoch_end(self, epoch, logs):
        ...         if logs["loss"] < 0.1:
        ...             return elegy.Stop("the loss is low enough")
        >>> Target().on_epoch_end(3, {"loss": 0.05})
        Stop(reason='the loss is low enough')
    """

    model: Any = None
    params: Mapping[str, Any] = types.MappingProxyType({})
    every_step: bool = False

    def set_model(self, model: Any) -> None:
        """Receive the model before the first hook.

        Args:
            model: becomes `self.model`.
        """
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Receive what the verb was asked for before the first hook.

        Args:
            params: `{"verbose", "epochs", "steps"}`; becomes `self.params`.
        """
        self.params = params

    def on_train_begin(self, logs: Any = None) -> Answer:
        """Before the first epoch."""

    def on_train_end(self, logs: Any = None) -> Answer:
        """After the last epoch, also when the fit was stopped or interrupted by Ctrl-C.

        Args:
            logs: of the last epoch.
        """

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> Answer:
        """Before the first step of an epoch."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> Answer:
        """After the last step of an epoch and its validation.

        Args:
            epoch: its number, from 0.
            logs: exact values over the epoch; those of validation begin with `val_`.
        """

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> Answer:
        """Before a training step; overriding it makes the fit run one step at a time."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> Answer:
        """After a training step.

        Args:
            batch: its number within the epoch, from 0.
            logs: the losses of this step, and the running values of the metrics.
        """

    def on_batch_begin(self, batch: int, logs: Any = None) -> Answer:
        """A short name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Any = None) -> Answer:
        """A short name of `on_train_batch_end`."""

    def on_test_begin(self, logs: Any = None) -> Answer:
        """Before an evaluation, also before the validation of an epoch."""

    def on_test_end(self, logs: Any = None) -> Answer:
        """After an evaluation.

        Args:
            logs: exact values over the data.
        """

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> Answer:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> Answer:
        """After a batch of an evaluation."""

    def on_predict_begin(self, logs: Any = None) -> Answer:
        """Before a prediction."""

    def on_predict_end(self, logs: Any = None) -> Answer:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> Answer:
        """Before a batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> Answer:
        """After a batch of a prediction."""

    def on_exception(self, exception: BaseException) -> Answer:
        """When a fit ends by an exception, which is raised again afterwards; `on_train_end` is not called then.

        Args:
            exception: what was raised.
        """
