"""What a model keeps between verbs: its recipe, its programs, its arrays, and whether they still fit each other."""

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ._config import difference, snapshot
from ._home import Home
from ._offer import Outputs
from ._probe import abstract
from ._programs import PassState, Programs
from ._start import Ready, abstract_outputs, first_state, get_ready
from ._state import RunState
from ._steps import Recipe
from .module import Extras

_log = logging.getLogger("elegy")


class Trainer:
    """The machinery behind a `Model`.

    Args:
        steps: the model, whose methods are the steps.
        recipe: module, objective, optimizer.
        seed: uint32 array `(2,)`.
        eager: run the steps without compiling.
    """

    def __init__(self, steps: Any, recipe: Recipe, seed: np.ndarray, *, eager: bool) -> None:
        self.steps = steps
        self.recipe = recipe
        self.seed = seed
        self.home = Home(recipe.module)
        self.programs = Programs(steps, recipe.objective, eager=eager, on_trace=self._remember_config)
        self.seen: tuple[Outputs, Any] | None = None
        """The abstract outputs and batch of the last verb, for `wiring`."""
        self.testing: PassState | None = None
        """What `test_on_batch` has accumulated."""
        self._config: dict[str, Any] | None = None
        self._ready: dict[Any, Ready] = {}

    def initialize(self, batch: Mapping[str, Any]) -> None:
        """Make sure that there are arrays, and that compiled programs still fit the configuration.

        Raises:
            InjectionError, ValueError, TypeError: the module does not fit the batch.
        """
        self.home.read_back()
        self._refresh_programs()
        if not self.home:
            self.home.put(first_state(self.recipe, batch, self.seed), exposed=True)

    def ready(self, batch: Mapping[str, Any], training: bool) -> Ready:
        """Make sure that everything fits the batch, before anything is compiled.

        Args:
            batch: the first batch.
            training: of training or of evaluation.

        Raises:
            InjectionError, ValueError, TypeError: module, losses or metrics do not fit the batch.
        """
        self.initialize(batch)
        leaves, structure = jax.tree.flatten(dict(batch))
        key = (training, structure, tuple((leaf.shape[1:], str(leaf.dtype)) for leaf in leaves))
        if key not in self._ready:
            self._ready[key] = get_ready(
                self.steps, self.recipe.objective, self.programs, self.home.look(), batch, training
            )
        self.seen = (self._ready[key].outputs, abstract(batch))
        return self._ready[key]

    def require_objective(self, batch: Mapping[str, Any]) -> None:
        """Raise if there is nothing to evaluate: no losses, no metrics, and no module that adds any."""
        if self.recipe.objective.leaves or self._overrides("test_step"):
            return
        added = self._added(batch, training=False)
        if not (added.losses or added.metrics or added.summaries):
            raise ValueError(
                "`evaluate` was called. The model has neither a loss nor metrics. "
                "Give them: `Model(module, loss=..., metrics=...)`."
            )

    def is_trainable(self, batch: Mapping[str, Any]) -> bool:
        """Whether there is what a training step needs."""
        return self._overrides("train_step") or not self._missing(batch)

    def require_trainable(self, batch: Mapping[str, Any]) -> None:
        """Raise if the optimizer is missing, or the loss, and no module adds one."""
        missing = [] if self._overrides("train_step") else self._missing(batch)
        if missing:
            raise ValueError(
                f"The model is to be trained. It has no {' and no '.join(missing)}. "
                f"Give {'them' if len(missing) > 1 else 'it'}: `Model(module, loss=..., optimizer=optax.adam(1e-3))`."
            )

    def _missing(self, batch: Mapping[str, Any]) -> list[str]:
        has_loss = bool(self.recipe.objective.losses) or bool(self._added(batch, training=True).losses)
        return [name for name, has in {"loss": has_loss, "optimizer": self.recipe.optimizer}.items() if not has]

    def _added(self, batch: Mapping[str, Any], training: bool) -> Extras:
        """What the module's hooks add to a step, in abstract form."""
        self.initialize(batch)
        return abstract_outputs(self.steps, self.home.look(), batch, training).extras

    def _overrides(self, step: str) -> bool:
        return not getattr(type(self.steps), step).__qualname__.startswith("Model.")

    def with_live_numbers(self, state: RunState) -> RunState:
        """The state with the numbers as the user's losses and metrics hold them now."""
        owners = self.recipe.objective.live_owners()
        numbers = {path: jax.numpy.float32(getattr(owner, name)) for path, (owner, name) in owners.items()}
        return dataclasses.replace(state, live={**state.live, **numbers})

    def reset(self) -> None:
        """Forget all arrays and what was found out with them; the module starts anew."""
        self.home.clear()
        self._ready.clear()
        self.testing = None

    def reset_metrics(self) -> None:
        """Start the metrics of the verbs that take one batch anew."""
        self.testing = None
        if self.home:
            self.home.put(dataclasses.replace(self.home.look(), metrics={}, sums=None), exposed=self.home.is_exposed)

    def adopt(self, recipe: Recipe) -> None:
        """Go on with another recipe, like other frozen parameters; programs are made anew."""
        self.recipe = recipe
        self._forget()

    def _remember_config(self) -> None:
        """Taken right after a trace: what it saw is what the program was built from."""
        self._config = self._snapshot()

    def _snapshot(self) -> dict[str, Any]:
        objective, module = self.recipe.objective, self.recipe.module
        held = module.module() if module.config is None else module.config()
        parts = {"module": held, **{leaf.who: leaf.consumer for leaf in objective.leaves}}
        live = {leaf.key: leaf.who for leaf in objective.leaves}
        skip = {f"{live[path.rpartition('/')[0]]}/{path.rpartition('/')[2]}" for path in objective.live_owners()}
        return snapshot(parts, skip=frozenset(skip | {f"{leaf.who}/_own_state" for leaf in objective.leaves}))

    def _refresh_programs(self) -> None:
        """Drop programs whose baked-in configuration changed, and say so."""
        if self._config is None:
            return
        change = difference(self._config, self._snapshot())
        if change:
            _log.warning("%s since the step was compiled; it is compiled anew.", change)
            self._config = None
            self._forget()

    def _forget(self) -> None:
        self.programs.clear()
        self.recipe.objective.forget()
        self._ready.clear()


def at_start(state: RunState, empty: PassState) -> RunState:
    """The state at the start of a pass."""
    fresh = jax.tree.map(jax.numpy.asarray, empty)
    return dataclasses.replace(state, metrics=fresh.metrics, sums=fresh.sums, count=fresh.count)
