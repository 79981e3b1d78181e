"""`elegy.scan`: one block many times in a row, compiled once."""

from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp

from .._errors import short_type
from .._names import name_of
from ._lift import Lifted, stacked_target
from ._places import is_below
from ._region import Region, Written, over_rounds, state_values
from ._scope import Scope

_NOT_GIVEN = object()


def scan(
    target: Any,
    length: int | None = None,
    *,
    module_axis: Literal[0] | None = 0,
    reverse: bool = False,
    unroll: int = 1,
) -> Lifted:
    """Apply a module again and again, each time to what it returned before; compiled once, whatever the length.

    `scan(block, length)(x)` is `for layer in layers: x = layer(x)` with `length` layers like `block`, where the program
    and the time to compile it do not grow with their number. As each layer has its own parameters, the arrays of
    `block` get a leading axis of `length`; each layer is initialized with its own key and asks for its own random
    numbers.

    `scan(cell, length)(carry, xs)` is `jax.lax.scan`: `cell(carry, x)` returns `(carry, y)`, for each `x` along the
    first axis of `xs`. With `module_axis=None` all rounds share one set of parameters, as a recurrent network does, and
    hand on its states.

    Called by itself, outside of a Model and of `elegy.jit`, it is compiled anew by each call.

    Args:
        target: an `elegy.Module` or a function. What a function makes inside belongs to each round, below a module
            `stacked`; what exists before is shared by all.
        length: how many rounds; taken from `xs` if that has arrays.
        module_axis: 0 if each round has arrays of its own, stacked along the first axis; None if all share them.
        reverse: begin with the last round.
        unroll: how many rounds one pass of the compiled loop does.

    Returns:
        What is called as `(carry)` or `(carry, xs)`; further arguments by name go to each round unchanged. It returns
        the last carry, with `xs` also the `y` of all rounds, stacked. What modules return inside is captured stacked.

    Raises:
        TypeError: the target is a class, or nothing that can be called.
        ValueError: the length is no positive whole number, it is not given or does not fit `xs`, the carry changes its
            structure, shape or dtype, or a parameter that all share is updated.

    Example:
        >>> import elegy, jax, jax.numpy as jnp
        >>> class Block(elegy.Module):
        ...     def call(self, x):
        ...         return x + jax.nn.relu(elegy.nn.Linear(x.shape[-1])(x))
        >>> layers = elegy.scan(Block(), length=48)
        >>> layers(jnp.ones((1, 4))).shape, layers.target.linear.w.shape
        ((1, 4), (48, 4, 4))
    """
    _require_sound(length, module_axis)

    def run(scope: Scope, target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        who = f"`elegy.scan` of `{name_of(target)}`"
        carry, xs = _arguments(args, who)
        rounds = Rounds(scope, target, kwargs, _length(length, xs, who), module_axis, xs is not _NOT_GIVEN, who)
        carry, xs = jax.tree.map(jnp.asarray, (carry, None if xs is _NOT_GIVEN else xs))
        carry, ys = rounds.trace(carry, xs) if scope.initializing else rounds.run(carry, xs, reverse, unroll)
        return (carry, ys) if rounds.has_xs else carry

    options = {"length": length, "module_axis": module_axis, "reverse": reverse, "unroll": unroll}
    return Lifted(target, run, scan, options)


class Rounds:
    """One scan in a running call.

    Args:
        scope: the running scope.
        target: what runs in each round.
        kwargs: go to each round.
        length: how many rounds.
        module_axis: see `scan`.
        has_xs: whether the target takes and returns something for each round.
        who: how errors call the scan.
    """

    def __init__(
        self,
        scope: Scope,
        target: Callable[..., Any],
        kwargs: dict[str, Any],
        length: int,
        module_axis: int | None,
        has_xs: bool,
        who: str,
    ) -> None:
        self.scope, self.kwargs, self.length, self.has_xs, self.who = scope, kwargs, length, has_xs, who
        self.top, self.target = (None, target) if module_axis is None else stacked_target(scope, target)
        self.stacks = () if self.top is None else ((self.top, length),)
        self.key = scope.key_for(f"scan:{'' if self.top is None else self.top}")
        self.region = Region(scope)

    def run(self, carry: Any, xs: Any, reverse: bool, unroll: int) -> tuple[Any, Any]:
        """Run all rounds in a loop."""
        parts = {path: value for path, value in self.scope.values.items() if self._is_stacked(path)}
        shared = {path: value for path, value in state_values(self.scope).items() if path not in parts}
        keys = None if self.key is None else jax.random.split(self.key, self.length)

        def body(carry: Any, part: Any) -> Any:
            (shared, carry), (parts, key, x) = carry, part
            written = self._round(carry, x, {**parts, **shared}, key)
            self._require_carried(written, shared)
            after, y = written.outputs
            left = {path: value for path, value in written.values.items() if path not in shared}
            shared = {path: written.values.get(path, value) for path, value in shared.items()}
            return (shared, after), Written(y, left, written.extras)

        (shared, carry), written = jax.lax.scan(
            body, (shared, carry), (parts, keys, xs), length=self.length, reverse=reverse, unroll=unroll
        )
        written = written._replace(values={**written.values, **shared}, extras=over_rounds(written.extras))
        return carry, self.region.absorb(written)

    def trace(self, carry: Any, xs: Any) -> tuple[Any, Any]:
        """Run one round, where only shapes count."""
        parts = {path: value[0] for path, value in self.scope.values.items() if self._is_stacked(path)}
        written = self._round(carry, jax.tree.map(lambda leaf: leaf[0], xs), parts, self.key)
        carry, y = written.outputs

        def stacked(tree: Any) -> Any:
            return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (self.length, *jnp.shape(leaf))), tree)

        values = {path: stacked(leaf) if self._is_stacked(path) else leaf for path, leaf in written.values.items()}
        return carry, self.region.absorb(Written(stacked(y), values, over_rounds(stacked(written.extras))))

    def _round(self, carry: Any, x: Any, values: dict[str, Any], key: Any) -> Written:
        def once() -> tuple[Any, Any]:
            if self.has_xs:
                return _pair(self.target(carry, x, **self.kwargs), self.who)
            return self.target(carry, **self.kwargs), None

        written = self.region.run(once, values, (key,), self.stacks)
        after, y = written.outputs
        return written._replace(outputs=(_as_before(carry, after, self.who), y))

    def _is_stacked(self, path: str) -> bool:
        return self.top is not None and is_below(path, self.top)

    def _require_carried(self, written: Written, shared: dict[str, Any]) -> None:
        for path in written.values:
            if not self._is_stacked(path) and path not in shared:
                raise ValueError(
                    f"{self.who} updates the parameter `{path}`, which all rounds share. Only states are handed "
                    "on from round to round. Declare it with `trainable=False`."
                )


def _require_sound(length: Any, module_axis: Any) -> None:
    if length is not None and (isinstance(length, bool) or not isinstance(length, int) or length < 1):
        raise ValueError(
            f"`elegy.scan` was given length={length!r}. It is the number of rounds. Give a whole number from 1 on."
        )
    if module_axis not in (0, None) or isinstance(module_axis, bool):
        raise ValueError(
            f"`elegy.scan` was given module_axis={module_axis!r}. Arrays are stacked along their first axis or shared. "
            "Give 0 or None."
        )


def _arguments(args: tuple[Any, ...], who: str) -> tuple[Any, Any]:
    if len(args) not in (1, 2):
        raise TypeError(
            f"{who} was called with {len(args)} arguments. It takes `(carry)` or `(carry, xs)`. Give what goes to each "
            "round unchanged by name, and several values to carry as one tuple."
        )
    return args if len(args) == 2 else (args[0], _NOT_GIVEN)


def _length(length: int | None, xs: Any, who: str) -> int:
    leaves = [] if xs is _NOT_GIVEN else jax.tree.leaves(xs)
    shapes = [jnp.shape(leaf) for leaf in leaves]
    if any(not shape for shape in shapes):
        raise ValueError(
            f"{who} was given a scalar among `xs`. Each round gets a part of it. Give it an axis in front."
        )
    found = {shape[0] for shape in shapes} | ({length} if length is not None else set())
    if len(found) != 1 or 0 in found:
        given = "no length" if length is None else f"length={length}"
        raise ValueError(
            f"{who} was given {given} and `xs` with {', '.join(map(short_type, leaves)) or 'no arrays'}. They do "
            "not say how many rounds there are. Give `length=`, or arrays that have that many entries."
        )
    return found.pop()


def _pair(outputs: Any, who: str) -> tuple[Any, Any]:
    if not isinstance(outputs, tuple) or len(outputs) != 2:
        raise ValueError(
            f"{who} was called with `xs`, and a round returned a {short_type(outputs)}. It returns `(carry, y)` then. "
            "Return both, or call it without `xs`."
        )
    return outputs


def _as_before(before: Any, after: Any, who: str) -> Any:
    """The carry after a round, as arrays.

    Raises:
        ValueError: it is not built like the one before.
    """
    if jax.tree.structure(before) != jax.tree.structure(after):
        raise ValueError(
            f"{who} changes the carry from {jax.tree.structure(before)} to {jax.tree.structure(after)}. Each "
            "round takes what the one before returned. Return it in the same structure."
        )
    after = jax.tree.map(jnp.asarray, after)
    for old, new in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        if (old.shape, old.dtype) != (new.shape, new.dtype) and not (old.weak_type and old.shape == new.shape):
            raise ValueError(
                f"{who} changes the carry from {short_type(old)} to {short_type(new)}. Each round takes what the one "
                "before returned. Keep shape and dtype."
            )
    return after
