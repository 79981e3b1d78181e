"""`elegy.in_step`: functions that look into a training step where it runs, now and then, and whose results are logs."""

import dataclasses
import functools
import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from ._errors import short_type
from ._inject import Offer, call_with, wants
from ._logs import Logs, Seldom
from ._names import name_of, unique_name
from ._offer import where_of, with_key
from ._state import RunState
from ._when import When

_OWN_STEP = (
    "A step of your own offers in-step hooks what it gives to `self.update_metrics(state, outputs, batch, logs, "
    "gradients=..., updates=...)`: call it."
)


def in_step(function: Callable[..., Any] | None = None, /, *, every: int | str | When = 1) -> Any:
    """Look into the training step where it runs: gradients, updates, parameters, outputs; what is returned is logged.

    The function becomes a part of the compiled step, so nothing is sent to the host but its results. It runs in the
    steps whose number is a multiple of `every` (counted from 1 over all fits of the model); in the others it costs
    next to nothing. Give it to `fit(callbacks=[...])`, or make it a method of an `elegy.Callback`.

    It asks by name for what it needs: what losses and metrics may ask for (`x`, `y_true`, `y_pred`, `sample_weight`,
    `parameters`, `states`, `step`, `epoch`, `key`, `intermediates`, columns of a named batch), and `losses`,
    `gradients`, `updates`, `summaries` and metrics by their log names.

    In the logs of an epoch each result is the mean over the steps of that epoch in which the function ran, NaN if
    there was none; in those of a step it is the newest one of the epoch. A name that is taken gets `_1`.

    Like a loss, the function is compiled as it is: attributes of `self` and closed-over values are looked at again when
    the next fit begins. What differs then is compiled anew: keep counts elsewhere than in such a callback, and such a
    function outside of the loop that calls `fit`.

    Args:
        function: returns a dict of scalars by log name.
        every: how many steps there are from one to the next: a number, `"50 steps"` or `elegy.When`.

    Returns:
        The function, marked; it can be called as before. Without `function`, a decorator.

    Raises:
        TypeError: `function` cannot be called. When a fit begins: it returns something else than a dict of scalars.
        ValueError: `every` is no whole number of steps.
        InjectionError: when a fit begins: a step does not have what is asked for.

    Example:
        >>> import elegy, jax.numpy as jnp, numpy as np, optax
        >>> @elegy.in_step(every=2)
        ... def sizes(gradients, updates):
        ...     return {"gradient": jnp.abs(gradients["w"]).max(), "update": jnp.abs(updates["w"]).max()}
        >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
        >>> model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer=optax.sgd(0.5), seed=0)
        >>> logs = model.fit(x, 3 * x, batch_size=16, callbacks=[sizes], verbose=0).history
        >>> bool(np.isclose(logs["update"][0], 0.5 * logs["gradient"][0], rtol=1e-3))
        True
    """
    when = When(every, number="steps")
    if when.unit != "steps":
        raise ValueError(
            f'`in_step(every="{when}")` was asked for. A step that runs knows its number, and neither time nor epochs. '
            'Give a number of steps, like `every=50` or "50 steps".'
        )
    if function is None:
        return functools.partial(in_step, every=when)
    if not callable(function):
        raise TypeError(
            f"`in_step` was given {function!r}, which cannot be called. It marks a function that returns logs. "
            "Write `@elegy.in_step(every=50)` above one."
        )
    return InStep(function, int(when.amount))


@dataclasses.dataclass(frozen=True)
class InStep:
    """A function that runs inside some training steps.

    Attributes:
        function: what is called.
        every: how many steps there are from one to the next.
    """

    function: Callable[..., Any]
    every: int

    @property
    def who(self) -> str:
        """How errors call it."""
        return f"in-step hook `{self}`"

    @property
    def names(self) -> tuple[str, ...]:
        """What it asks for."""
        return wants(self.function).names

    def logs(self, offer: Offer, state: RunState, *, resting: bool = False) -> dict[str, Seldom]:
        """What it logs in this step.

        Args:
            offer: what the step has.
            state: the one before the step.
            resting: whether the step is known to be one in which it does not run, unless it always does.

        Raises:
            InjectionError: it asks for what the step does not have.
            TypeError: it returns something else than a dict of scalars.
        """

        def run() -> dict[str, jax.Array]:
            view = with_key(offer, state, True, self.who)  # of its own: what is lazy is made where this runs
            return self._scalars(call_with(self.function, view, who=self.who, where=where_of(True)))

        if self.every == 1:
            return {name: Seldom(value, jnp.bool_(True)) for name, value in run().items()}
        names = jax.eval_shape(lambda: Logs(run()))
        is_due = jnp.bool_(False) if resting else (state.step + 1) % self.every == 0

        def rest() -> dict[str, jax.Array]:
            return {name: jnp.float32(jnp.nan) for name in names}

        # Outside of a trace there is nothing to branch in, and `cond` would compile.
        values = jax.lax.cond(is_due, run, rest) if isinstance(is_due, Tracer) else (run if is_due else rest)()
        return {name: Seldom(values[name], is_due) for name in names}

    def _scalars(self, answer: Any) -> dict[str, jax.Array]:
        advice = f'Return a dict of scalars, like `{{"{self}": value}}`; they become logs.'
        if not isinstance(answer, Mapping):
            raise TypeError(f"{self.who} returned {short_type(answer)}. It was asked for logs. {advice}")
        for name, value in answer.items():
            if not isinstance(name, str) or not _is_scalar(value):
                raise TypeError(
                    f"{self.who} returned {name!r}: {short_type(value)} for the logs. A log is a name with one number. "
                    + advice
                )
        return {name: jnp.asarray(value, jnp.float32) for name, value in answer.items()}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as it is."""
        return self.function(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> "InStep":
        """As a method: bound to its object."""
        del owner
        return self if instance is None else InStep(types.MethodType(self.function, instance), self.every)

    def __str__(self) -> str:
        """Its name."""
        return name_of(self.function)


def hooks_among(callbacks: Iterable[Any]) -> tuple[InStep, ...]:
    """The in-step hooks that `fit` was given: functions among the callbacks, and methods of callbacks."""
    found: list[InStep] = []
    for callback in callbacks:
        if isinstance(callback, InStep):
            found.append(callback)
        elif not isinstance(callback, type):
            marked = [name for name in dir(callback) if isinstance(inspect.getattr_static(callback, name, 0), InStep)]
            found.extend(getattr(callback, name) for name in marked)
    return tuple(dict.fromkeys(found))


def usual_steps(hooks: Iterable[InStep], step: jax.Array) -> jax.Array | None:
    """How many steps come before the next one in which a hook runs that does not always; None without such hooks.

    Args:
        hooks: who looks into the steps.
        step: int32 scalar, the number of steps done.
    """
    waits = [hook.every - 1 - step % hook.every for hook in hooks if hook.every > 1]
    return functools.reduce(jnp.minimum, waits) if waits else None


def hook_logs(
    hooks: Iterable[InStep], offer: Offer, state: RunState, taken: Iterable[str], *, resting: bool = False
) -> dict[str, Seldom]:
    """What in-step hooks log in a step, by names that no other log has.

    Args:
        hooks: who looks into the step.
        offer: what the step has.
        state: the one before the step.
        taken: the names of all other logs.
        resting: whether only those run that always do.
    """
    names = [name for hook in hooks for name in hook.names] if not offer else ["gradients", "updates"]
    offer = offer.extended({}, absent={name: _OWN_STEP for name in names if name not in offer})
    logs: dict[str, Seldom] = {}
    for hook in hooks:
        for name, log in hook.logs(offer, state, resting=resting).items():
            logs[unique_name(name, {*taken, *logs})] = log
    return logs


def _is_scalar(value: Any) -> bool:
    """Whether a value is one real number."""
    if isinstance(value, (bool, int, float)):
        return True
    kinds = (jnp.bool_, jnp.integer, jnp.floating)
    return getattr(value, "shape", None) == () and any(jnp.issubdtype(value.dtype, kind) for kind in kinds)
