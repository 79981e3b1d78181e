"""Optimizers: a name, a number, an Optax transformation, or one for each path pattern."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax

from ._errors import did_you_mean, listing
from ._paths import flatten, matches, matches_any, unflatten
from .compiling import filled

# Keras' names and default learning rates; the transformations are Optax's.
NAMED: dict[str, tuple[Callable[..., optax.GradientTransformation], float]] = {
    "adam": (optax.adam, 1e-3),
    "adamw": (optax.adamw, 1e-3),
    "adamax": (optax.adamax, 1e-3),
    "nadam": (optax.nadam, 1e-3),
    "adagrad": (optax.adagrad, 1e-3),
    "adadelta": (optax.adadelta, 1e-3),
    "rmsprop": (optax.rmsprop, 1e-3),
    "sgd": (optax.sgd, 1e-2),
    "lion": (optax.lion, 1e-4),
    "lamb": (optax.lamb, 1e-3),
}


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """Optax transformations, each for the parameters that its pattern names.

    Attributes:
        parts: by path pattern the transformation; one part with the pattern `**` takes all.
        given: what `Model(optimizer=...)` was given.
    """

    parts: Mapping[str, optax.GradientTransformationExtraArgs]
    given: Any

    def __reduce__(self) -> Any:
        """Copies and pickles carry what was given: a name can be pickled, the functions of Optax cannot."""
        return as_optimizer, (self.given,)

    @property
    def is_split(self) -> bool:
        """Whether the optimizer was given as a mapping."""
        return set(self.parts) != {"**"}

    def init(self, parameters: Any, frozen: tuple[str, ...] = ()) -> dict[str, Any]:
        """The optimizer's state: by pattern the state of its transformation, frozen leaves masked.

        Raises:
            ValueError: a parameter is named by no pattern, or a pattern names no parameter.
        """
        owners = self._owners(parameters)

        def begin(parameters: Any) -> dict[str, Any]:
            parts = self.parts.items()
            state = {pattern: part.init(masked(parameters, owners, pattern, frozen)) for pattern, part in parts}
            # Without weak types, which the first step would change, so that it would be compiled twice.
            return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.asarray(leaf).dtype), state)

        program = jax.jit(begin)  # one program, where each slot would be one
        try:
            values = filled(program.trace(parameters))
        except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError):
            return begin(parameters)  # a transformation that reads the numbers
        return program(parameters) if values is None else jax.device_put(values, may_alias=False)

    def refrozen(self, state: dict[str, Any], parameters: Any, frozen: tuple[str, ...]) -> dict[str, Any]:
        """The state for another set of frozen leaves: slots go along by path, those of freed leaves start anew.

        Args:
            state: what `init` or `update` returned.
            parameters: the current parameters.
            frozen: patterns of parameters that do not learn from now on.
        """
        before = dict(jax.tree_util.tree_leaves_with_path(state))

        def carried(path: Any, leaf: jax.Array) -> jax.Array:
            old = before.get(path, leaf)
            return old if (old.shape, old.dtype) == (leaf.shape, leaf.dtype) else leaf

        return jax.tree_util.tree_map_with_path(carried, self.init(parameters, frozen))

    def update(
        self,
        gradients: Any,
        state: dict[str, Any],
        parameters: Any,
        only: str | None,
        frozen: tuple[str, ...],
        extra: Any,
    ) -> tuple[Any, dict[str, Any]]:
        """Updates by path, `optax.MaskedNode()` where nothing moves, and the new state.

        Args:
            gradients: nested dicts like `parameters`.
            state: what `init` or `update` returned.
            parameters: the current parameters.
            only: the pattern whose transformation advances; None advances all.
            frozen: patterns of parameters that do not learn.
            extra: keyword arguments for Optax, like `value`.

        Raises:
            ValueError: `only` is none of the patterns.
        """
        patterns = self._advancing(only)
        owners = self._owners(parameters)
        updates = {path: optax.MaskedNode() for path in flatten(parameters)}
        after = dict(state)
        for pattern in patterns:
            own = masked(parameters, owners, pattern, frozen)
            moved, after[pattern] = self.parts[pattern].update(
                masked(gradients, owners, pattern, frozen), state[pattern], own, **extra
            )
            updates.update({path: leaf for path, leaf in flatten(moved).items() if not is_masked(leaf)})
        return unflatten(updates), after

    def _advancing(self, only: str | None) -> tuple[str, ...]:
        if only is None:
            return tuple(self.parts)
        if only not in self.parts:
            raise ValueError(
                f"`apply_gradients(only={only!r})` was called. The optimizer has the patterns: {listing(self.parts)}. "
                "Use one of these; give the optimizer as a mapping from patterns to advance parts of the model alone."
                + did_you_mean(only, self.parts)
            )
        return (only,)

    def _owners(self, parameters: Any) -> dict[str, str]:
        owners: dict[str, str] = {}
        for path in flatten(parameters):
            owner = next((pattern for pattern in self.parts if matches(pattern, path)), None)
            if owner is None:
                raise ValueError(
                    f"The optimizer was given for the patterns {listing(self.parts)}. None of them names the parameter "
                    f"`{path}`. Add a pattern for it, `**` for all the rest."
                )
            owners[path] = owner
        unused = [pattern for pattern in self.parts if pattern != "**" and pattern not in owners.values()]
        if unused and owners:
            raise ValueError(
                f"The optimizer was given for the pattern `{unused[0]}`. It names no parameter that an earlier pattern "
                f"leaves over; there are: {listing(owners)}. Correct the pattern." + did_you_mean(unused[0], owners)
            )
        return owners


def as_optimizer(optimizer: Any) -> Optimizer | None:
    """An `Optimizer` of what users give: None, a name, a learning rate, an Optax transformation, or a mapping of these.

    Args:
        optimizer: a Keras name like `"adam"`; a number, which is the learning rate of adam; an
            `optax.GradientTransformation`; or a dict from path patterns to these.

    Raises:
        ValueError: an unknown name, or a learning rate that is not positive.
        TypeError: anything else.
    """
    if optimizer is None:
        return None
    if isinstance(optimizer, Mapping):
        if not optimizer:
            raise ValueError(
                '`optimizer={}` was given. It has no pattern. Write `{"encoder/*": optax.adam(1e-3), ...}`.'
            )
        return Optimizer({str(pattern): _transformation(part) for pattern, part in optimizer.items()}, optimizer)
    return Optimizer({"**": _transformation(optimizer)}, optimizer)


def learning_rates(state: Mapping[str, Any]) -> dict[str, jax.Array]:
    """By log name the learning rates that the state holds: `learning_rate`, or one for each pattern."""
    found = {pattern: _hyperparameters(part) for pattern, part in state.items()}
    rates = {pattern: h.hyperparams["learning_rate"] for pattern, h in found.items() if h is not None}
    if len(state) == 1:
        return dict(zip(["learning_rate"], rates.values(), strict=False))
    return {f"learning_rate/{pattern.rstrip('/*')}": rate for pattern, rate in rates.items()}


def with_learning_rate(state: Mapping[str, Any], value: float) -> dict[str, Any]:
    """The optimizer's state with another learning rate in every part that holds one.

    Raises:
        ValueError: no part holds one, or a schedule sets it at every step.
    """
    if not learning_rates(state):
        raise ValueError(
            "A learning rate was asked for. The optimizer hides its own: only one given by name, by number or through "
            "`optax.inject_hyperparams` can be changed. Write "
            "`optimizer=optax.inject_hyperparams(optax.adam)(1e-3)`, or "
            "set `model.lr_scale`, which multiplies every optimizer's updates."
        )
    return {pattern: _replace_rate(part, value) for pattern, part in state.items()}


def only_learning_rate(state: Mapping[str, Any]) -> float:
    """The one learning rate that the optimizer's state holds.

    Raises:
        ValueError: it holds none, or several.
    """
    rates = learning_rates(state)
    if len(rates) > 1:
        raise ValueError(
            f"The learning rate was asked for. The optimizer has several: {listing(rates)}. Read them in "
            "`model.state.optimizer`."
        )
    if not rates:
        with_learning_rate(state, 0.0)
    return float(next(iter(rates.values())))


def masked(tree: Any, owners: Mapping[str, str], pattern: str, frozen: tuple[str, ...]) -> Any:
    """The tree with `optax.MaskedNode()` for what the pattern does not own and for what is frozen."""
    flat = flatten(tree)
    kept = {path for path in flat if owners[path] == pattern and not matches_any(frozen, path)}
    return unflatten({path: leaf if path in kept else optax.MaskedNode() for path, leaf in flat.items()})


def is_masked(leaf: Any) -> bool:
    """Whether a leaf stands for a parameter that nothing moves."""
    return isinstance(leaf, optax.MaskedNode)


def _transformation(optimizer: Any) -> optax.GradientTransformationExtraArgs:
    if isinstance(optimizer, str):
        if optimizer not in NAMED:
            raise ValueError(
                f"`optimizer={optimizer!r}` was asked for. The names are: {listing(NAMED)}. Use one of these, or any "
                "Optax transformation." + did_you_mean(optimizer, NAMED)
            )
        return _injected(*NAMED[optimizer])
    if type(optimizer) in (int, float):
        if not optimizer > 0:
            raise ValueError(f"`optimizer={optimizer}` was given. A number is adam's learning rate, above 0. Raise it.")
        return _injected(optax.adam, float(optimizer))
    if callable(getattr(optimizer, "init", None)) and callable(getattr(optimizer, "update", None)):
        return optax.with_extra_args_support(optimizer)
    if isinstance(getattr(optimizer, "tx", None), optax.GradientTransformation):
        kind = type(optimizer).__name__
        raise TypeError(
            f"`optimizer=` was given a `{kind}`, which holds an Optax transformation and its state for one module. "
            "A model keeps that state itself. Give the transformation alone: `optimizer=that_one.tx`."
        )
    kind = f"the function `{optimizer.__name__}`" if hasattr(optimizer, "__name__") else type(optimizer).__name__
    raise TypeError(
        f"`optimizer=` was given {kind}. An optimizer is a name, a learning rate, an Optax transformation or a mapping "
        "from path patterns to these. Write `optimizer=optax.adam(1e-3)`, with the call."
    )


def _injected(factory: Callable[..., Any], learning_rate: float) -> optax.GradientTransformationExtraArgs:
    """A transformation whose learning rate is part of its state; the other hyper-parameters stay constants."""

    def with_rate(learning_rate: Any) -> optax.GradientTransformation:
        return factory(learning_rate)

    return optax.with_extra_args_support(optax.inject_hyperparams(with_rate)(learning_rate=learning_rate))


def _is_injected(node: Any) -> bool:
    return isinstance(getattr(node, "hyperparams", None), dict)


def _hyperparameters(state: Any) -> Any:
    """The state of `optax.inject_hyperparams` inside an optimizer's state, if it holds a learning rate."""
    nodes = [
        n for n in jax.tree.leaves(state, is_leaf=_is_injected) if _is_injected(n) and "learning_rate" in n.hyperparams
    ]
    return nodes[0] if len(nodes) == 1 else None


def _replace_rate(state: Any, value: float) -> Any:
    holder = _hyperparameters(state)
    if holder is None:
        return state
    if "learning_rate" in getattr(holder, "hyperparams_states", {}):
        raise ValueError(
            "A learning rate was set. A schedule given to the optimizer sets it anew at every step. "
            "Give the optimizer a number instead, or set `model.lr_scale`."
        )
    old = holder.hyperparams["learning_rate"]
    new = holder._replace(
        hyperparams={**holder.hyperparams, "learning_rate": jnp.asarray(value, jnp.asarray(old).dtype)}
    )
    return jax.tree.map(lambda node: new if node is holder else node, state, is_leaf=lambda node: node is holder)
