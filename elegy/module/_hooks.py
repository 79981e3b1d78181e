"""Hooks that act on the module whose call runs, for plain classes and functions too."""

from typing import Any

import jax
import jax.numpy as jnp

from ._parameter import Initializer, spec_of
from ._scope import Scope, running_scope


def add_parameter(
    name: str,
    shape: tuple[int, ...] = (),
    dtype: Any = None,
    initializer: Initializer = jnp.zeros,
    trainable: bool = True,
) -> jax.Array:
    """The parameter `name` of the module, object or function that is being called; declared at its first call.

    Args:
        name: its name.
        shape: its shape; taken from the initializer if that is a value.
        dtype: its dtype; the module's (float32 for plain objects and functions), or that of the value.
        initializer: a function `(key, shape, dtype)` or `(shape, dtype)`, or a value.
        trainable: a parameter that learns, or a state.

    Returns:
        The current value.

    Raises:
        ValueError: no call runs, the name is taken, or an integer is declared as trainable.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> def scale(x): return x * elegy.add_parameter("factor", initializer=2.0)
        >>> model = elegy.Model(scale)
        >>> model.predict(jnp.ones((1, 1)), verbose=0).tolist()
        [[2.0]]
    """
    scope = _running("add_parameter")
    module = scope.frames[-1].module
    return scope.add_parameter(module, name, spec_of(shape, dtype, initializer, trainable, module.dtype))


def update_parameter(name: str, value: Any) -> None:
    """Set a state of the module, object or function that is being called.

    Args:
        name: what `add_parameter` was given.
        value: an array of the same shape.

    Raises:
        ValueError: no call runs, there is no such parameter, or the shape differs.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> def count(x):
        ...     calls = elegy.add_parameter("calls", initializer=0, trainable=False)
        ...     elegy.update_parameter("calls", calls + 1)
        ...     return x
        >>> elegy.Model(count).init(jnp.ones((1, 1))).states
        {'calls': Array(0, dtype=int32)}
    """
    scope = _running("update_parameter")
    scope.update_parameter(scope.frames[-1].module, name, value)


def add_loss(name: str, value: Any) -> None:
    """Add a term to the total loss from inside a module, like a penalty on its activations.

    It is logged as `name`, with `_loss` at its end if it has none. Equal names add up, whichever module adds them. In a
    Model it follows the rules of every loss: values with a batch axis are weighted by `sample_weight` and averaged
    exactly over the pass, a scalar is a mean over the samples, and in `predict` it does not exist. Outside a Model see
    `hooks_context`.

    Args:
        name: its name in the logs.
        value: a scalar; values `(batch, *d)`; a pair `(values, mask)` of equal shapes; or a dict of these, whose parts
            are logged as `name/part`.

    Raises:
        ValueError: no call runs, or a raw JAX transform is in between.
        TypeError: the name is no string, or the value is made of no numbers.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> def shrink(x):
        ...     elegy.add_loss("activity", 0.25 * jnp.square(x).mean(-1))
        ...     return x
        >>> elegy.Model(shrink).evaluate(2 * jnp.ones((4, 3)), verbose=0)
        {'loss': 1.0, 'activity_loss': 1.0}
    """
    _running("add_loss").add_loss(name, value)


def add_metric(name: str, value: Any) -> None:
    """Log a value from inside a module: its mean over the samples of the pass, exact and weighted by `sample_weight`.

    The log's name is the module's path and `name`, like `encoder/linear/norm`; a name that is taken gets `_1`.

    Args:
        name: its name below the module.
        value: as for `add_loss`.

    Raises:
        ValueError: no call runs, or a raw JAX transform is in between.
        TypeError: the name is no string, or the value is made of no numbers.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> def watched(x):
        ...     elegy.add_metric("size", jnp.abs(x).mean(-1))
        ...     return x
        >>> elegy.Model(watched).evaluate(jnp.arange(3.0)[:, None], verbose=0)
        {'loss': 0.0, 'size': 1.0}
    """
    _running("add_metric").add_metric(name, value)


def add_summary(name: str, value: Any) -> None:
    """Log the newest value from inside a module, like a gate's opening, or activations as a histogram.

    The log's name is the module's path and `name`; a name that is taken gets `_1`. Logs and history hold numbers, so of
    an array they show the mean; a callback that asks for `summaries` gets the arrays themselves.

    Args:
        name: its name below the module.
        value: a number, an array of any shape, or a dict of these.

    Raises:
        ValueError: no call runs, or a raw JAX transform is in between.
        TypeError: the name is no string, or the value is made of no numbers.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> def watched(x):
        ...     elegy.add_summary("largest", jnp.max(x))
        ...     return x
        >>> elegy.Model(watched).evaluate(jnp.ones((2, 1)), verbose=0)
        {'loss': 0.0, 'largest': 1.0}
    """
    _running("add_summary").add_summary(name, value)


def next_rng_key() -> jax.Array:
    """A random key for the module that is being called; each request of a step gets another one.

    Returns:
        A key that depends on the seed, the step, the module's path and the number of the request, on nothing else.

    Raises:
        ValueError: no call runs, it was given no key, or a raw JAX transform is in between.

    Example:
        >>> import elegy, jax, jax.numpy as jnp
        >>> def noise(x): return x + jax.random.normal(elegy.next_rng_key(), x.shape)
        >>> elegy.Model(noise).predict(jnp.ones((1, 2)), verbose=0).shape
        (1, 2)
    """
    return _running("next_rng_key").next_key()


def is_training() -> bool:
    """Whether the module that is being called trains; True where no call runs.

    Example:
        >>> import elegy
        >>> elegy.is_training()
        True
    """
    scope = running_scope()
    return True if scope is None else scope.is_training()


def _running(hook: str) -> Scope:
    scope = running_scope()
    if scope is None or not scope.frames:
        raise ValueError(
            f"`{hook}` was called. No module's call runs. Call it inside the `call` of a module or in a "
            "function that a "
            "Model runs."
        )
    return scope
