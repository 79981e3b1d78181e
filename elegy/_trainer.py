"""What a model keeps between verbs: its recipe, its programs, its arrays, and whether they still fit each other."""

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ._bounded import Bounded
from ._compilations import MOST_FORMS, MOST_PROGRAMS
from ._config import difference, snapshot
from ._ema import evaluated, restarted
from ._freezing import Rule, require_free, require_known, resolved, with_rules
from ._home import Home
from ._in_step import InStep
from ._offer import Outputs
from ._paths import flatten
from ._probe import abstract
from ._programs import Programs
from ._pure_steps import PureSteps
from ._start import Ready, abstract_outputs, first_state, first_variables, get_ready
from ._state import RunState, own_copy
from ._steps import Recipe
from ._told import PassState
from .interop import as_functional
from .module import Extras

_log = logging.getLogger("elegy")


class Trainer:
    """The machinery behind a `Model`.

    Args:
        steps: the model, whose methods are the steps.
        recipe: module, objective, optimizer.
        seed: uint32 array `(2,)`.
        eager: run the steps without compiling.
        rewrite: rewrite them for the backend.
    """

    def __init__(self, steps: Any, recipe: Recipe, seed: np.ndarray, *, eager: bool, rewrite: bool) -> None:
        self.steps = steps
        self.recipe = recipe
        self.seed = seed
        self.eager = eager
        self.rewrite = rewrite
        self.home = Home(recipe.module)
        self.programs = Programs(
            steps,
            recipe.objective,
            eager=eager,
            rewrite=rewrite,
            accumulate=recipe.accumulate,
            on_trace=self._remember_config,
        )
        self.seen: tuple[Outputs, Any] | None = None
        """The abstract outputs and batch of the last verb, for `wiring`."""
        self.last_x: Any = None
        """The abstract inputs of the last verb, for `summary`."""
        self.testing: PassState | None = None
        """What `test_on_batch` has accumulated."""
        self.rules: tuple[Rule, ...] = ()
        """What `freeze` and `unfreeze` were given."""
        self._configs: Bounded[Any, dict[str, Any]] = Bounded(MOST_PROGRAMS)
        self._ready: Bounded[Any, Ready] = Bounded(MOST_FORMS)

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles carry: no programs, no fit that runs, and of the module the user's object."""
        names = ("steps", "seed", "eager", "rewrite", "rules", "seen", "last_x", "testing")
        kept = {name: getattr(self, name) for name in names}
        module = self.recipe.module
        recipe = dataclasses.replace(self.recipe, module=(module.module(), module.batched))
        return {**kept, "recipe": recipe, "arrays": self.home.carried()}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        """Make programs and all that is found out anew."""
        module, batched = kept["recipe"].module
        recipe = dataclasses.replace(kept["recipe"], module=as_functional(module, batched=batched))
        self.__init__(kept["steps"], recipe, kept["seed"], eager=kept["eager"], rewrite=kept["rewrite"])
        self.rules, self.testing = kept["rules"], kept["testing"]
        self.seen, self.last_x = kept["seen"], kept["last_x"]
        self.programs.variant = frozenset(self.recipe.frozen)
        self.home.arrive(kept["arrays"])

    def initialize(self, batch: Mapping[str, Any]) -> None:
        """Make sure that there are arrays, and that compiled programs still fit the configuration.

        Raises:
            InjectionError, ValueError, TypeError: the module does not fit the batch.
        """
        self.last_x = abstract(batch.get("x"))
        reset = self.home.read_back()
        if not self.home:
            self._begin(batch)
        if reset:
            self._make_anew(batch, reset)
        self._refreeze()
        self._refresh_programs()

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
        shapes = (training, structure, tuple((leaf.shape[1:], str(leaf.dtype)) for leaf in leaves))
        kind = (self.programs.skips, *self.programs.hooks) if training else ()
        while (key := (self.programs.variant, kind, *shapes)) not in self._ready:
            state = self.home.look() if training else evaluated(self.home.look())
            ready = get_ready(self.steps, self.recipe.objective, self.programs, state, batch, training)
            self._ready[key] = ready
            self._refreeze()  # a call that sets `trainable` on its children may just have frozen others
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
        return getattr(type(self.steps), step) is not getattr(PureSteps, step)

    def with_live_numbers(self, state: RunState) -> RunState:
        """The state with the numbers as the user's losses and metrics hold them now."""
        owners = self.recipe.objective.live_owners()
        numbers = {path: np.float32(getattr(owner, name)) for path, (owner, name) in owners.items()}
        return dataclasses.replace(state, live={**state.live, **own_copy(numbers)})

    def reset(self) -> None:
        """Forget all arrays and what was found out with them; the module starts anew."""
        self.home.clear()
        self._ready.clear()
        self.testing = None

    def reset_metrics(self) -> None:
        """Start the metrics of the verbs that take one batch anew."""
        self.testing = None
        if self.home:
            self.home.change(metrics={}, sums=None)

    @property
    def frozen(self) -> tuple[str, ...]:
        """Patterns of what does not learn: what was frozen here, and what the user's object declares."""
        return self._frozen(*self.home.paths()) if self.home else self._frozen([], [])

    def freeze(self, patterns: tuple[Any, ...], *, freezes: bool) -> None:
        """Let parameters rest, or learn again; while a fit runs, from its next launch on.

        Args:
            patterns: what they are called; none means all.
            freezes: whether they rest.

        Raises:
            TypeError, ValueError: a pattern is none, names nothing, or the user's object says otherwise.
        """
        rules = with_rules(self.rules, patterns, freezes=freezes)
        parameters, states = self.home.paths() if self.home else ([], [])
        if not freezes:
            require_free(patterns, self.recipe.module.frozen(), parameters)
        if self.home:
            require_known(rules, parameters, [*parameters, *states])
        self.rules = rules
        if self.home:
            self._refreeze()

    def _frozen(self, parameters: list[str], states: list[str]) -> tuple[str, ...]:
        own = resolved(self.rules, [*parameters, *states])
        return tuple(dict.fromkeys((*own, *self.recipe.module.frozen())))

    def _begin(self, batch: Mapping[str, Any]) -> None:
        """Make the first arrays."""
        variables = first_variables(self.recipe.module, batch, self.seed)
        parameters, states = list(flatten(variables.parameters)), list(flatten(variables.states))
        require_known(self.rules, parameters, [*parameters, *states])
        self._adopt(self._frozen(parameters, states))
        self.home.put(first_state(self.recipe, variables, self.seed), exposed=True)
        self.home.write_back()

    def _make_anew(self, batch: Mapping[str, Any], names: list[str]) -> None:
        """Give the modules that the user has reset first values again, and their optimizer slots too."""
        self.home.write_back(without=names)
        variables = first_variables(self.recipe.module, batch, self.seed)
        optimizer, frozen = self.home.look().optimizer, self.recipe.frozen
        gone = [name.removeprefix("parameters/") for name in names if name.startswith("parameters/")]
        if self.recipe.optimizer is not None:
            optimizer = self.recipe.optimizer.refrozen(optimizer, variables.parameters, (*frozen, *gone))
            optimizer = self.recipe.optimizer.refrozen(optimizer, variables.parameters, frozen)
        ema = restarted(self.home.look().ema, variables.parameters, gone)
        self.home.change(parameters=variables.parameters, states=variables.states, optimizer=optimizer, ema=ema)
        self.home.write_back()

    def _refreeze(self) -> None:
        """Find out what is frozen now; programs for other sets are kept, and slots go along."""
        frozen = self.frozen
        if set(frozen) == set(self.recipe.frozen):
            return
        self._adopt(frozen)
        if self.recipe.optimizer is not None:
            state = self.home.look()
            self.home.change(optimizer=self.recipe.optimizer.refrozen(state.optimizer, state.parameters, frozen))

    def _adopt(self, frozen: tuple[str, ...]) -> None:
        self.recipe = dataclasses.replace(self.recipe, frozen=frozen)
        self.programs.variant = frozenset(frozen)

    def _remember_config(self) -> None:
        """Taken right after a trace: what it saw is what the program was built from."""
        self._configs[self.programs.variant] = self._snapshot()
        self._configs.update({hook: _snapshot_of(hook) for hook in self.programs.hooks})

    def _snapshot(self) -> dict[str, Any]:
        objective, module = self.recipe.objective, self.recipe.module
        held = module.module() if module.config is None else module.config()
        parts = {"module": held, **{leaf.who: leaf.consumer for leaf in objective.leaves}}
        live = {leaf.key: leaf.who for leaf in objective.leaves}
        skip = {f"{live[path.rpartition('/')[0]]}/{path.rpartition('/')[2]}" for path in objective.live_owners()}
        return snapshot(parts, skip=frozenset(skip | {f"{leaf.who}/_own_state" for leaf in objective.leaves}))

    def _refresh_programs(self) -> None:
        """Drop programs whose baked-in configuration changed, and say so."""
        before = self._configs.get(self.programs.variant)
        change = None if before is None else difference(before, self._snapshot())
        for hook in self.programs.hooks:
            if change is None and hook in self._configs:
                change = difference(self._configs[hook], _snapshot_of(hook))
        if change:
            _log.warning("%s since the step was compiled; it is compiled anew.", change)
            self._configs.clear()
            self.programs.clear(change)
            self.recipe.objective.forget()
            self._ready.clear()


def at_start(state: RunState, empty: PassState) -> RunState:
    """The state at the start of a pass."""
    fresh = own_copy(empty)
    return dataclasses.replace(state, metrics=fresh.metrics, sums=fresh.sums, count=fresh.count)


def _snapshot_of(hook: InStep) -> dict[str, Any]:
    """What an in-step hook has baked in; a method's callback is told of its model and parameters by each fit anew."""
    return snapshot(
        {hook.who: hook.function}, skip=frozenset(f"{hook.who}/self/{name}" for name in ("model", "params"))
    )
