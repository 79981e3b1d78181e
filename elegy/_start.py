"""The first state of a run: variables, optimizer slots, live numbers, and what a pass starts from."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ._ema import first_averages
from ._objective import Objective
from ._offer import Outputs
from ._paths import flatten, unflatten
from ._probe import abstract
from ._programs import Programs
from ._state import RunState, own_copy
from ._steps import LR_SCALE, Recipe, Steps
from ._told import PassState
from .module import INIT, Functional, Variables, domain_key


def first_variables(module: Functional, batch: Mapping[str, Any], seed: np.ndarray) -> Variables:
    """Initialize the module on a batch's `x`; arrays that the user's object holds are kept.

    Args:
        module: the module as two pure functions.
        batch: one batch; only shapes and dtypes of `x` count.
        seed: uint32 array `(2,)`.
    """
    variables = module.init(domain_key(seed, INIT, 0), batch.get("x"))
    return Variables(unflatten(flatten(variables.parameters)), unflatten(flatten(variables.states)))


def first_state(recipe: Recipe, variables: Variables, seed: np.ndarray) -> RunState:
    """Everything that follows from a module's first variables.

    Args:
        recipe: module, objective, optimizer.
        variables: what the module begins with.
        seed: uint32 array `(2,)`.
    """
    optimizer = None if recipe.optimizer is None else recipe.optimizer.init(variables.parameters, recipe.frozen)
    live = {path: getattr(owner, name) for path, (owner, name) in recipe.objective.live_owners().items()}
    numbers = {
        "live": {path: np.float32(number) for path, number in {**live, LR_SCALE: 1.0}.items()},
        **dict.fromkeys(("step", "epoch", "data_pass", "count"), np.int32(0)),
        "nonfinite": np.int32(-1),
        "seed": seed,
    }
    return RunState(
        parameters=variables.parameters,
        states=variables.states,
        optimizer=optimizer,
        metrics={},
        sums=None,
        ema=None if recipe.ema is None else jax.jit(first_averages)(variables.parameters),
        **own_copy(numbers),  # made on the host: it takes no program
    )


@dataclasses.dataclass(frozen=True)
class Ready:
    """What was found out before the first step.

    Attributes:
        empty: what a pass starts from.
        outputs: what a forward makes of a batch, in abstract form.
    """

    empty: PassState
    outputs: Outputs

    @property
    def y_pred(self) -> Any:
        """The module's outputs, in abstract form."""
        return self.outputs.y_pred


def get_ready(
    steps: Steps, objective: Objective, programs: Programs, state: RunState, batch: Mapping[str, Any], training: bool
) -> Ready:
    """Run everything once abstractly: whether module, losses and metrics fit the batch, and what a pass starts from.

    Raises:
        InjectionError, ValueError, TypeError: something does not fit.
    """
    outputs = abstract_outputs(steps, state, batch, training)
    metrics = objective.empty_metrics(outputs, abstract(batch))
    return Ready(programs.empty_pass(state, batch, training, metrics), outputs)


def abstract_outputs(steps: Steps, state: RunState, batch: Mapping[str, Any], training: bool) -> Outputs:
    """What a forward makes of a batch, in abstract form."""
    return jax.eval_shape(
        lambda state, batch: steps.forward(state, batch, training=training), abstract(state), abstract(batch)
    )
