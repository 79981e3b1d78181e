"""The steps of a model as pure functions of state and batch, each of which a subclass may override."""

from collections.abc import Mapping
from typing import Any

import jax

from . import _steps
from ._accumulation import train_group
from ._grouped import Group
from ._logs import Logs
from ._offer import Outputs
from ._state import RunState


class PureSteps:
    """What one step of training, evaluation or prediction is, and the parts that it is made of."""

    _trainer: Any
    """The machinery of the model, which has the recipe of its steps."""

    def train_step(self, state: RunState, batch: Mapping[str, Any]) -> tuple[RunState, Mapping[str, Any]]:
        """One training step: forward, gradients, optimizer, metrics. Override it for steps of your own.

        Pure: it may be jitted, mapped and scanned. The step is counted and its logs are added up by the loop; a loop
        of your own does so with `state.advance(logs)`. A batch is an update, whatever `Model(accumulate=...)` says.

        Args:
            state: the run's state.
            batch: injected values by name; `x`, `y_true`, `sample_weight` and further columns.

        Returns:
            The new state, and logs by name: scalars (means over the samples), `elegy.Ratio` or `elegy.Running`.
        """
        if isinstance(batch, Group):
            return train_group(self._trainer.recipe, self, state, batch)
        return _steps.train_step(self._trainer.recipe, self, state, batch)

    def test_step(self, state: RunState, batch: Mapping[str, Any]) -> tuple[RunState, Mapping[str, Any]]:
        """One evaluation step, like `train_step` without learning."""
        return _steps.test_step(self._trainer.recipe, self, state, batch)

    def pred_step(self, state: RunState, batch: Mapping[str, Any]) -> Any:
        """The outputs for one batch: a pytree whose leaves have the batch axis first."""
        return self.forward(state, batch, training=False).y_pred

    def forward(
        self, state: RunState, batch: Mapping[str, Any], parameters: Any = None, training: bool = True
    ) -> Outputs:
        """Run the module on `batch["x"]`.

        Args:
            state: the run's state.
            batch: injected values by name.
            parameters: used in place of the state's, to differentiate by them.
            training: whether modules train.

        Returns:
            `y_pred`, and the state after the forward.
        """
        return _steps.forward(self._trainer.recipe, state, batch, parameters, training)

    def losses(self, outputs: Outputs, batch: Mapping[str, Any], only: str | None = None) -> tuple[jax.Array, Logs]:
        """The total loss and its logs, `loss` first.

        Args:
            outputs: what `forward` returned.
            batch: injected values by name.
            only: a pattern of log names; other losses are left out.
        """
        return self._trainer.recipe.objective.total(outputs, batch, self.forward, only)

    def apply_gradients(self, state: RunState, gradients: Any, only: str | None = None, **extra: Any) -> RunState:
        """One step of the optimizer, after which the averages of `Model(ema=...)` follow the parameters.

        Args:
            state: the state, after the forward.
            gradients: nested dicts like `state.parameters`.
            only: with an optimizer given as a mapping, the pattern whose parameters move.
            **extra: goes on to Optax, like `value=`.
        """
        return _steps.apply_gradients(self._trainer.recipe, state, gradients, only, extra)

    def update_metrics(
        self, state: RunState, outputs: Outputs, batch: Mapping[str, Any], logs: Mapping[str, Any], **further: Any
    ) -> tuple[RunState, Logs]:
        """The state with this batch in its metrics, and their logs; for a `train_step` of your own.

        What it is given is also what callbacks get that ask for `y_pred`, `losses`, `gradients` and the like.

        Args:
            state: the state after the step.
            outputs: what `forward` returned.
            batch: injected values by name.
            logs: the losses' logs, which metrics may ask for as `losses`.
            **further: `gradients=` and `updates=`, for metrics and callbacks that ask for them.
        """
        return _steps.update_metrics(self._trainer.recipe, self, state, outputs, batch, logs, further)
