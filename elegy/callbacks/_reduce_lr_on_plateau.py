"""Slow the optimizer down when a log has stopped getting better."""

from collections.abc import Mapping
from typing import Any

from ._callback import Callback
from ._monitor import Monitor, require_epochs


class ReduceLROnPlateau(Callback):
    """Multiplies the optimizer's updates by `factor` when a log has not improved for `patience` epochs, as Keras does.

    It sets `model.lr_scale`, a factor on the updates of whatever optimizer, so it also works for those that hide
    their learning rate; `learning_rate` stays as it is, and the log `lr_scale` shows the factor of each epoch.

    Args:
        monitor: name of the log to watch. A `val_` name is looked at in the epochs that were validated.
        factor: what the scale is multiplied by; above 0 and below 1.
        patience: how many epochs without an improvement are waited for; `>= 0`.
        verbose: 1 prints a line at each reduction.
        mode: "min" if the log should fall, "max" if it should rise; "auto" asks the loss or metric itself.
        min_delta: how much better counts as better, in units of the log; its sign does not matter.
        cooldown: how many epochs to let pass after a reduction before waiting again.
        min_lr: the least that `learning_rate * lr_scale` is brought to; `>= 0`. Other than 0 it needs an optimizer
            with one known learning rate: given by name, by number or through `optax.inject_hyperparams`.

    Attributes:
        best: the best value so far, or None.
        wait: epochs since the last improvement.
        cooldown_counter: epochs of the cool-down that are left.

    Raises:
        ValueError: an argument is out of range, or `min_lr` was given and the optimizer hides its learning rate; while
            the fit runs: no log is called `monitor`, or `mode="auto"` and nobody knows its direction.

    Example:
        >>> import types
        >>> callback = ReduceLROnPlateau("loss", factor=0.5, patience=1, mode="min")
        >>> callback.set_model(types.SimpleNamespace(lr_scale=1.0))
        >>> for epoch, loss in enumerate([0.5, 0.6, 0.4]):
        ...     print(callback.on_epoch_end(epoch, {"loss": loss}))
        {'lr_scale': 1.0}
        {'lr_scale': 1.0}
        {'lr_scale': 0.5}
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        if not 0 < factor < 1:
            raise ValueError(
                f"ReduceLROnPlateau got `factor={factor!r}`. The updates are multiplied by it to make them smaller. "
                "Give a number above 0 and below 1."
            )
        if not min_lr >= 0:
            raise ValueError(f"ReduceLROnPlateau got `min_lr={min_lr!r}`. It is a learning rate. Give 0 or more.")
        require_epochs("ReduceLROnPlateau", patience=patience, cooldown=cooldown)
        self._monitor = Monitor("ReduceLROnPlateau", monitor, mode, min_delta=min_delta)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._start_anew()

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start anew, so that one instance serves several fits; look whether `min_lr` can be kept."""
        del logs
        self._start_anew()
        if self.min_lr:
            self._rate()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> dict[str, float]:
        """Compare the epoch with the best one; logs the scale that the epoch had."""
        scale = float(self.model.lr_scale)
        current = self._monitor.value(logs or {}, self.model)
        if current is not None and self._is_plateau(current):
            self._reduce(epoch, scale)
        return {"lr_scale": scale}

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Say it if there was nothing to watch."""
        del logs
        self._monitor.warn_if_unseen()

    def state(self) -> dict[str, Any]:
        """The best value, and the epochs waited since. The scale itself is part of the model's state."""
        best = {} if self.best is None else {"best": self.best}
        return {**best, "wait": self.wait, "cooldown_counter": self.cooldown_counter}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Compare with the best value of an earlier part of the fit, and wait on."""
        self.best = float(state["best"]) if "best" in state else None
        self.wait, self.cooldown_counter = int(state["wait"]), int(state["cooldown_counter"])
        self._monitor.reset(seen=self.best is not None)

    def _start_anew(self) -> None:
        self.best: float | None = None
        self.wait = 0
        self.cooldown_counter = 0
        self._monitor.reset()

    def _is_plateau(self, current: float) -> bool:
        """Count an epoch in; whether the patience has come to its end."""
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._monitor.is_better(current, than=self.best):
            self.best, self.wait = current, 0
            return False
        self.wait += 0 if self.cooldown_counter else 1
        return not self.cooldown_counter and self.wait >= self.patience

    def _reduce(self, epoch: int, scale: float) -> None:
        smaller = scale * self.factor
        if self.min_lr:
            rate = self._rate()
            smaller = max(smaller, self.min_lr / rate) if rate > 0 else scale
        if smaller >= scale * (1 - 1e-6):  # already at `min_lr`, to the rounding of float32
            return
        self.model.lr_scale = smaller
        self.wait, self.cooldown_counter = 0, self.cooldown
        if self.verbose:
            print(f"Epoch {epoch + 1}: the updates are multiplied by {smaller:.6g} from now on.")

    def _rate(self) -> float:
        try:
            return float(self.model.learning_rate)
        except ValueError as error:
            raise ValueError(
                f"ReduceLROnPlateau got `min_lr={self.min_lr!r}`. The optimizer has no single learning rate that "
                "could be compared with it. Leave `min_lr` out, or give the optimizer by name, by number or as "
                "`optax.inject_hyperparams(optax.adam)(1e-3)`."
            ) from error
