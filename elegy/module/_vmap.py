"""`elegy.vmap`: a module over an axis of its inputs, shared or as an ensemble."""

from collections.abc import Callable, Hashable
from typing import Any, Literal

import jax

from .._names import name_of
from ._lift import Lifted, stacked_target
from ._places import is_below, split_arrays
from ._region import Region, Written, over_rounds
from ._scope import Scope

_AXIS = "elegy.vmap"


def vmap(
    target: Any,
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    axis_size: int | None = None,
    axis_name: Hashable | None = None,
    module_axis: Literal[0] | None = None,
) -> Lifted:
    """Map a module over an axis of its inputs: one module for all parts, or an ensemble with one for each.

    It is `jax.vmap`, but the target may do what a call may: make children, ask for keys (each part has its own), update
    states. `vmap(module)(x)` shares the module; `vmap(module, module_axis=0)(x)` gives each part its own arrays,
    stacked along a leading axis and initialized with keys of their own; with `in_axes=None, axis_size=5` five of them
    see the same input.

    Args:
        target: an `elegy.Module` or a function. With `module_axis=0`, what a function makes inside belongs to each
            part, below a module `stacked`; what exists before is shared by all.
        in_axes: the mapped axis of each positional argument, as for `jax.vmap`. Arrays that are given by name are
            mapped along their first axis; plain values go to all parts.
        out_axes: where the mapped axis is in the outputs.
        axis_size: the number of parts, where no argument says it.
        axis_name: a name for collectives such as `jax.lax.pmean`.
        module_axis: 0 if each part has arrays of its own; None if all share them.

    Returns:
        What is called like the target. What modules return inside is captured stacked.

    Raises:
        TypeError: the target is a class, or nothing that can be called.
        ValueError: a state that all share is updated, or `module_axis` is neither 0 nor None. With an `axis_name` such
            an update is allowed if it is the same for all, like a `pmean`.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> members = elegy.vmap(elegy.nn.Linear(2), in_axes=None, axis_size=5, module_axis=0)
        >>> members(jnp.ones((1, 3))).shape, members.target.w.shape
        ((5, 1, 2), (5, 3, 2))
    """
    if module_axis not in (0, None) or isinstance(module_axis, bool):
        raise ValueError(
            f"`elegy.vmap` was given module_axis={module_axis!r}. Arrays are stacked along their first axis or shared. "
            "Give 0 or None."
        )
    in_axes = tuple(in_axes) if isinstance(in_axes, list) else in_axes
    name = _AXIS if axis_name is None else axis_name

    def run(scope: Scope, target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        who = f"`elegy.vmap` of `{name_of(target)}`"
        top, target = (None, target) if module_axis is None else stacked_target(scope, target)
        key = scope.key_for(f"vmap:{'' if top is None else top}")
        parts = {path: value for path, value in scope.values.items() if top is not None and is_below(path, top)}
        by_name, rebuild = split_arrays(kwargs)
        region = Region(scope)

        def body(parts: dict[str, Any], by_name: list[Any], *args: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
            own_key = None if key is None else jax.random.fold_in(key, jax.lax.axis_index(name))
            stacks = () if top is None else ((top, jax.lax.axis_size(name)),)
            written = region.run(lambda: target(*args, **rebuild(by_name)), parts, (own_key,), stacks)
            shared = {path: v for path, v in written.values.items() if top is None or not is_below(path, top)}
            if axis_name is None:
                _refuse_shared(shared, who)
            own = {path: value for path, value in written.values.items() if path not in shared}
            return (written.outputs, own, written.extras), shared

        axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)
        mapped = jax.vmap(body, (0, 0, *axes), ((out_axes, 0, 0), None), axis_size=axis_size, axis_name=name)
        (outputs, own, extras), shared = mapped(parts, by_name, *args)
        return region.absorb(Written(outputs, {**own, **shared}, over_rounds(extras)))

    options = {"in_axes": in_axes, "out_axes": out_axes, "axis_size": axis_size, "axis_name": axis_name}
    return Lifted(target, run, vmap, {**options, "module_axis": module_axis})


def _refuse_shared(shared: dict[str, Any], who: str) -> None:
    for path in shared:
        raise ValueError(
            f"{who} updates `{path}`, which all parts share. Each part would leave another value. Give each its "
            "own with `module_axis=0`, or name the axis with `axis_name=` and update with what is the same for "
            "all, like a `pmean`."
        )
