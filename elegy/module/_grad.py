"""`elegy.grad` and `elegy.value_and_grad`: gradients by the parameters of modules as objects."""

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax

from .._errors import did_you_mean, listing, short_type
from .._names import name_of
from .._paths import matches, unflatten
from ._borrow import Borrowed, borrowed, in_form_of, modules_of
from ._overlay import running_overlay
from ._places import below, tree_of
from ._record import record_of, stored_record
from ._scope import owner_of_traces, running_scope
from ._trainable import learning


def value_and_grad(
    target: Callable[..., Any],
    modules: Any = None,
    *,
    only: str | Sequence[str] | None = None,
    has_aux: bool = False,
) -> Callable[..., tuple[Any, Any]]:
    """What a function returns, and the gradients of its loss by the parameters of the modules that it calls.

    The loss is what the function returns, or the first entry if that is a tuple. New states of modules, such as running
    averages, are kept. A module that is not initialized is initialized first. For gradients by arguments there is
    `jax.grad`.

    Args:
        target: a function, or a module that returns a loss.
        modules: the modules, those below them included: one, or a list, tuple or dict of them. Not needed for a module.
        only: patterns of paths such as `"encoder/*"`, in each module from there; other parameters are constants.
        has_aux: as for `jax.value_and_grad`: the function returns exactly `(loss, aux)`.

    Returns:
        A function with the target's arguments that returns `(outputs, gradients)`: all that the target returned, and
        the gradients in the form of `modules`; for each a nested dict like `module.parameters`, without those that are
        frozen or not in `only`.

    Raises:
        ValueError: a function comes without modules. When called: there is no parameter to differentiate by, `only`
            names none, a module's call runs, or with `has_aux` the outputs are no pair.
        TypeError: something among the modules is none; the loss is no real scalar.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> linear = elegy.nn.Linear(1, with_bias=False)
        >>> def loss(x): return linear(x).sum()
        >>> value, gradients = elegy.value_and_grad(loss, linear)(jnp.array([[1.0, 2.0]]))
        >>> gradients["w"].tolist()
        [[1.0], [2.0]]
    """
    return _differentiated(target, modules, only, has_aux, "value_and_grad")


def grad(
    target: Callable[..., Any],
    modules: Any = None,
    *,
    only: str | Sequence[str] | None = None,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """The gradients of `value_and_grad` alone; with `has_aux` and what the function returned besides its loss.

    Args:
        target: a function that returns a loss, or `(loss, aux)` with `has_aux`; or such a module.
        modules: as for `value_and_grad`.
        only: as for `value_and_grad`.
        has_aux: whether the function returns `(loss, aux)`.

    Returns:
        A function with the target's arguments that returns the gradients, with `has_aux` `(gradients, aux)`.

    Raises:
        ValueError: as for `value_and_grad`; or the function returned a tuple without `has_aux`.
        TypeError: as for `value_and_grad`.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> linear = elegy.nn.Linear(1, with_bias=False)
        >>> elegy.grad(lambda x: linear(x).sum(), linear)(jnp.array([[1.0, 2.0]]))["w"].tolist()
        [[1.0], [2.0]]
    """
    differentiated = _differentiated(target, modules, only, has_aux, "grad")

    @functools.wraps(target, updated=())
    def gradients_of(*args: Any, **kwargs: Any) -> Any:
        outputs, gradients = differentiated(*args, **kwargs)
        if isinstance(outputs, tuple) and not has_aux:
            raise ValueError(
                f"`elegy.grad` was given `{name_of(target)}`, which returned a tuple. It would be lost but for "
                "the loss. Use `has_aux=True` or `elegy.value_and_grad`."
            )
        return (gradients, outputs[1]) if has_aux else gradients

    return gradients_of


def _differentiated(
    target: Callable[..., Any], given: Any, only: str | Sequence[str] | None, has_aux: bool, transform: str
) -> Callable[..., tuple[Any, Any]]:
    given, who = modules_of(target, given, transform), f"`elegy.{transform}`"
    patterns = (only,) if isinstance(only, str) else only

    @functools.wraps(target, updated=())
    def outputs_and_gradients(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        if running_scope() is not None:
            raise ValueError(
                f"{who} of `{name_of(target)}` was called inside the call of a module. There parameters belong to "
                "the call. Use `jax.grad` for gradients by inputs, or differentiate what calls the module."
            )
        modules = borrowed(given, who, target, args, kwargs)
        values, slots = modules.values(), _slots(modules, patterns, who)

        def objective(learning: dict[str, Any]) -> tuple[Any, Any]:
            put = {**values, **learning}
            with _context(modules), modules.lent(put) as left:
                outputs = target(*args, **kwargs)
                return _loss(outputs, has_aux, who, target), (outputs, left())

        learning = {slot: values[slot] for paths in slots for slot in paths.values()}
        gradients, (outputs, left) = jax.grad(objective, has_aux=True)(learning)
        modules.give_back(left)
        trees = [unflatten({path: gradients[slot] for path, slot in paths.items()}) for paths in slots]
        return outputs, in_form_of(given, trees)

    return outputs_and_gradients


def _slots(modules: Borrowed, patterns: Sequence[str] | None, who: str) -> list[dict[str, str]]:
    """For each module by path the slots of the parameters to differentiate by; a shared one counts once."""
    numbers = {id(part): number for number, part in enumerate(modules.parts)}
    places = [
        {
            below(path, name): f"{numbers[id(part)]}/{name}"
            for path, part in tree_of(root)
            for name, spec in record_of(part).specs.items()
            if learns[path] and spec.trainable and name in record_of(part).values
        }
        for root, learns in zip(modules.roots, map(learning, modules.roots), strict=True)
    ]
    offer = [path for paths in places for path in paths]
    if not offer:
        raise ValueError(
            f"{who} was called. Its modules have no parameters that learn: they are frozen or the function does "
            "not call them. Name the modules that it calls."
        )
    for pattern in patterns or ():
        if not any(matches(pattern, path) for path in offer):
            raise ValueError(
                f"{who} was given only={pattern!r}. Parameters that learn are: {listing(offer)}. Use one of "
                f"these, or a pattern.{did_you_mean(pattern, offer)}"
            )
    taken: set[str] = set()
    chosen: list[dict[str, str]] = []
    for paths in places:
        chosen.append(
            {
                path: slot
                for path, slot in paths.items()
                if slot not in taken and (patterns is None or any(matches(pattern, path) for pattern in patterns))
            }
        )
        taken.update(paths.values())
    return chosen


def _loss(outputs: Any, has_aux: bool, who: str, target: Any) -> Any:
    if has_aux and (not isinstance(outputs, tuple) or len(outputs) != 2):
        raise ValueError(
            f"{who} was given `{name_of(target)}` with `has_aux=True`, and that returned a {short_type(outputs)}. It "
            "returns `(loss, aux)` then. Return both, or leave out `has_aux`."
        )
    return outputs[0] if isinstance(outputs, tuple) and outputs else outputs


def _context(modules: Borrowed) -> contextlib.AbstractContextManager[Any]:
    """Keeps apart what JAX remembers of transforms that the function uses itself, with the arrays they met."""
    overlay = running_overlay()
    is_own = overlay is not None or any(stored_record(part).is_traced_bare for part in modules.parts)
    return owner_of_traces(object() if is_own else _CONTEXT)


_CONTEXT = "elegy.value_and_grad"
