"""Layers one after the other."""

from collections.abc import Callable
from typing import Any

from .._errors import short_type
from .._inject import wants
from ..module import Module, is_training
from ._requirements import who


class Sequential(Module):
    """Calls layers one after the other, each with what the one before returned.

    Args:
        *layers: a function without arguments that returns a list of layers, such as `lambda: [Linear(8), jax.nn.relu]`;
            or one list or tuple of layers; or the layers themselves. A layer is a module or any function. From a
            function they are made when the network is first called and have names such as `linear`, `linear_1`; from a
            list they have names such as `layers/0`.
        name: its name below its parent.

    Raises:
        TypeError: something is no layer; a class is none, an instance of it is.

    Example:
        >>> import elegy, jax, jax.numpy as jnp
        >>> mlp = elegy.nn.Sequential(lambda: [elegy.nn.Linear(8), jax.nn.relu, elegy.nn.Linear(2)])
        >>> mlp(jnp.ones((1, 4))).shape, list(mlp.parameters)
        ((1, 2), ['linear', 'linear_1'])
    """

    def __init__(self, *layers: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        only = layers[0] if len(layers) == 1 else None
        self.layers: Any = layers
        if isinstance(only, (list, tuple)):
            self.layers = tuple(only)
        elif _is_thunk(only):
            self.layers = only
            return
        _require_layers(who(self), self.layers)

    def call(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Run the layers.

        Args:
            *args: go to the first layer.
            training: goes to each layer that names it; by default whether the surrounding call trains.
            **kwargs: go to the first layer.

        Returns:
            What the last layer returned; without layers the first input.
        """
        layers = self.layers if isinstance(self.layers, tuple) else self._made()
        return _run_all(layers, args, kwargs, training)

    def _made(self) -> tuple[Any, ...]:
        layers = self.layers()
        if not isinstance(layers, (list, tuple)):
            raise TypeError(
                f"{who(self)} was given a function without arguments. It returned a {short_type(layers)}. "
                "Let it return a list of layers."
            )
        _require_layers(who(self), layers)
        return tuple(layers)


def sequential(*layers: Callable[..., Any]) -> Callable[..., Any]:
    """Calls layers one after the other, inside a module's `call`: they are its own children, as if called by hand.

    Args:
        *layers: modules, or any functions.

    Returns:
        A function that takes what the first layer takes, and returns what the last one returns; `training` goes to
        each layer that names it.

    Raises:
        TypeError: something is no layer; a class is none, an instance of it is.

    Example:
        >>> import elegy, jax, jax.numpy as jnp
        >>> class Net(elegy.Module):
        ...     def call(self, x):
        ...         return elegy.nn.sequential(elegy.nn.Linear(8), jax.nn.relu, elegy.nn.Linear(2))(x)
        >>> net = Net()
        >>> net(jnp.ones((1, 4))).shape, list(net.parameters)
        ((1, 2), ['linear', 'linear_1'])
    """
    _require_layers("`sequential`", layers)

    def run(*args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        return _run_all(layers, args, kwargs, training)

    return run


def _require_layers(who: str, layers: Any) -> None:
    for number, layer in enumerate(layers):
        if isinstance(layer, type):
            raise TypeError(
                f"{who} was given the class `{layer.__name__}` as layer {number}. A layer is an instance. "
                f"Write `{layer.__name__}(...)`, with parentheses."
            )
        if not callable(layer):
            raise TypeError(
                f"{who} was given a {short_type(layer)} as layer {number}. A layer is a module or a "
                "function. Give layers, a list of them, or a function without arguments that returns one."
            )


def _is_thunk(value: Any) -> bool:
    if isinstance(value, (Module, type)) or not callable(value):
        return False
    asked = wants(value)
    return not (asked.names or asked.var_positional or asked.var_keyword)


def _run_all(layers: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any], training: bool | None) -> Any:
    if not layers:
        return args[0]
    outputs = _run(layers[0], args, kwargs, training)
    for layer in layers[1:]:
        outputs = _run(layer, (outputs,), {}, training)
    return outputs


def _run(layer: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], training: bool | None) -> Any:
    own = isinstance(layer, Module)
    # A module asks for itself whether it trains, since it may be frozen; it is told only what it cannot know.
    told = training is not None and not (own and training == is_training())
    if told and "training" not in kwargs and "training" in wants(layer.call if own else layer).names:
        kwargs = {**kwargs, "training": training}
    return layer(*args, **kwargs)
