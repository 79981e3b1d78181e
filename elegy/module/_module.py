"""`Module`: a class with a `call`, whose parameters and children are declared where they are used."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from .._paths import unflatten
from ._attributes import assigned, looked_up
from ._bare import call_bare, run_on, traceable
from ._call import run_module
from ._describe import description
from ._initialize import initialize
from ._meta import ModuleMeta
from ._parameter import Initializer, spec_of
from ._places import arrays_on, forget_arrays, is_initialized, places_in, places_of, put_named
from ._record import Record, children_of, display_name, record_of
from ._scope import Scope, running_scope
from ._trainable import learning, set_trainable


class Module(metaclass=ModuleMeta):
    """A network, or a part of one: subclass it and write `call`.

    Parameters are declared where they are used, with shapes from the inputs; modules made in `call` are children, made
    once and found again. The base class's `__init__` may be left out.

    Args:
        name: its name below its parent; by default the class name in snake case, numbered.
        dtype: the default dtype of its parameters.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> class Dense(elegy.Module):
        ...     def __init__(self, size):
        ...         self.size = size
        ...     def call(self, x):
        ...         w = self.add_parameter("w", (x.shape[-1], self.size))
        ...         return x @ w
        >>> dense = Dense(3)
        >>> dense(jnp.ones((2, 4))).shape, dense.w.shape
        ((2, 3), (4, 3))
    """

    # Class attributes, so that a subclass may leave out `super().__init__()`.
    name: str | None = None
    dtype: Any = jnp.float32
    __elegy_module__ = True
    __elegy_root__ = False

    def __init__(self, name: str | None = None, dtype: Any = jnp.float32) -> None:
        self.name = name
        self.dtype = dtype

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; written by subclasses.

        Raises:
            TypeError: a subclass has not written it.
        """
        del args, kwargs
        raise TypeError(
            f"The module `{display_name(self)}` was called. {type(self).__name__} has no `call`. "
            "Write `def call(self, x): ...` in the class."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the module: inside another one's call as a part of it, by itself with the arrays it holds.

        By itself it initializes at the first call, trains unless `training=False` is given, and keeps new states.

        Args:
            *args: go to `call`.
            **kwargs: go to `call`; `training` is filled in where `call` names it.
        """
        scope = running_scope()
        if scope is not None:
            return run_module(scope, self, args, kwargs)
        return call_bare(self, args, kwargs)

    def init(self, key: jax.Array, *args: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """New parameters and states that depend on nothing but the key and the inputs' shapes; none is kept.

        Any JAX transform may surround it. To start from them, use `set_parameters`.

        Args:
            key: a random key.
            *args: inputs of `call`.
            **kwargs: inputs of `call` by name.

        Returns:
            Parameters and states, nested dicts.

        Example:
            >>> import elegy, jax, jax.numpy as jnp
            >>> parameters, states = elegy.nn.Linear(2).init(jax.random.key(0), jnp.ones((1, 3)))
            >>> parameters["w"].shape
            (3, 2)
        """
        return initialize(self, *traceable(self, args, kwargs), key, anew=True)

    def apply(
        self,
        parameters: Mapping[str, Any],
        states: Mapping[str, Any],
        *args: Any,
        training: bool = False,
        key: jax.Array | None = None,
        **kwargs: Any,
    ) -> tuple[Any, dict[str, Any]]:
        """Run the module on given arrays; pure, so any JAX transform may surround it.

        Args:
            parameters: what `init` returned first.
            states: what `init` returned second.
            *args: inputs of `call`.
            training: whether modules train.
            key: a random key for modules that need one.
            **kwargs: inputs of `call` by name.

        Returns:
            Outputs, and the states afterwards.
        """
        return run_on(self, parameters, states, args, kwargs, training=training, key=key)

    def add_parameter(
        self,
        name: str,
        shape: tuple[int, ...] = (),
        dtype: Any = None,
        initializer: Initializer = jnp.zeros,
        trainable: bool = True,
    ) -> jax.Array:
        """The current value of the parameter `name`; declared at the first call.

        Args:
            name: its name, also as an attribute.
            shape: its shape; taken from the initializer if that is a value.
            dtype: its dtype; the module's, or that of the value.
            initializer: a function `(key, shape, dtype)` or `(shape, dtype)`, or a value.
            trainable: a parameter that learns, or a state.

        Raises:
            ValueError: called outside a call, the name is taken, or an integer is declared as trainable.
        """
        return self._scope("add_parameter").add_parameter(
            self, name, spec_of(shape, dtype, initializer, trainable, self.dtype)
        )

    def update_parameter(self, name: str, value: Any) -> None:
        """Set a parameter or state from inside a call.

        Args:
            name: what `add_parameter` was given.
            value: an array of the same shape.

        Raises:
            ValueError: called outside a call, there is no such parameter, or the shape differs.
        """
        self._scope("update_parameter").update_parameter(self, name, value)

    @property
    def initialized(self) -> bool:
        """Whether the module and all below it have their arrays, or are known to need none."""
        return is_initialized(self)

    @property
    def trainable(self) -> bool:
        """Whether the parameters of this module learn; set it, and it holds for all below too.

        A frozen module's parameters stay `parameters`; they get no gradient, and running statistics stay as they are.
        """
        return self._records()(self).trainable is not False

    @trainable.setter
    def trainable(self, value: bool) -> None:
        set_trainable(self, value, self._records())

    @property
    def parameters(self) -> dict[str, Any]:
        """What this module and those below learn, frozen or not, as nested dicts."""
        return arrays_on(self)[0]

    @property
    def states(self) -> dict[str, Any]:
        """The other arrays of this module and those below, as nested dicts."""
        return arrays_on(self)[1]

    @property
    def submodules(self) -> dict[str, "Module"]:
        """By name the modules directly below, like `linear_1` or `layers/0`; a shared one once, by its first name."""
        found: dict[int, tuple[str, Module]] = {}
        for name, child in children_of(self, record_of(self)):
            found.setdefault(id(child), (name, child))
        return dict(found.values())

    def get_parameters(self, trainable: bool | None = None) -> dict[str, Any]:
        """The arrays of this module and those below, as nested dicts; a shared module counts once.

        Args:
            trainable: True for those that learn now, False for the others: states and what is frozen; None for all.
        """
        learns = learning(self)
        return unflatten(
            {
                path: record.values[name]
                for path, record, name in places_of(self)
                if name in record.values
                and trainable in (None, record.specs[name].trainable and learns[path.rpartition("/")[0]])
            }
        )

    def set_parameters(self, values: Mapping[str, Any]) -> None:
        """Put arrays into this module and those below; what is not named stays, and an error changes nothing.

        Args:
            values: nested dicts, or a part of them.

        Raises:
            ValueError: a name is unknown, a shape differs, or the module's call runs.
        """
        self._refuse_inside_call("set_parameters")
        put_named(self, values)

    def reset(self) -> None:
        """Forget the arrays of this module and those below; the next call, or fit, begins anew.

        What was declared stays known, so `set_parameters` can put arrays back.

        Raises:
            ValueError: the module's call runs.
        """
        self._refuse_inside_call("reset")
        forget_arrays(self)

    def parameters_size(self, include_submodules: bool = True) -> int:
        """How many numbers the parameters have; without submodules those of this module alone."""
        return sum(leaf.size for leaf in self._leaves(include_submodules, trainable=True))

    def parameters_bytes(self, include_submodules: bool = True) -> int:
        """How many bytes the parameters take; without submodules those of this module alone."""
        return sum(leaf.nbytes for leaf in self._leaves(include_submodules, trainable=True))

    def states_size(self, include_submodules: bool = True) -> int:
        """How many numbers the states have; without submodules those of this module alone."""
        return sum(leaf.size for leaf in self._leaves(include_submodules, trainable=False))

    def states_bytes(self, include_submodules: bool = True) -> int:
        """How many bytes the states take; without submodules those of this module alone."""
        return sum(leaf.nbytes for leaf in self._leaves(include_submodules, trainable=False))

    def __elegy_config__(self) -> dict[str, Any]:
        """What a compiled step has baked in: attributes and the children of the call, but no arrays."""
        attributes = {name: value for name, value in vars(self).items() if name != "_record"}
        return {**attributes, **{name: child.module for name, child in record_of(self).children.items()}}

    def _records(self) -> Callable[[Any], Record]:
        """Who finds records now: a call that is being initialized has drafts of them."""
        scope = running_scope()
        return scope.record if scope is not None and scope.knows(self) else record_of

    def _leaves(self, include_submodules: bool, *, trainable: bool) -> list[Any]:
        places = places_of(self) if include_submodules else places_in(self)
        return [r.values[n] for _, r, n in places if n in r.values and r.specs[n].trainable is trainable]

    def _refuse_inside_call(self, verb: str) -> None:
        scope = running_scope()
        if scope is not None and scope.knows(self):
            raise ValueError(
                f"`{verb}` of the module `{display_name(self)}` was called. A call that it is a part of runs, and "
                "values belong to the call. Call it outside; inside, write `self.update_parameter(name, value)`."
            )

    def _scope(self, hook: str) -> Scope:
        scope = running_scope()
        if scope is None or not scope.frames:
            raise ValueError(
                f"`{hook}` of the module `{display_name(self)}` was called. Its call does not run. "
                "Call it inside `call`; outside, read attributes and use `set_parameters`."
            )
        return scope

    # Parameters and children made in calls are no entries of the instance, since while a call runs their values are
    # those of the running scope: `self.embedding.w` inside another module's call must not be a constant.
    def __getattr__(self, name: str) -> Any:
        """A parameter's value, or a child that a call made, by name."""
        return looked_up(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; while no call runs also a parameter's value, or the child that calls find by that name."""
        assigned(self, name, value)

    def __dir__(self) -> list[str]:
        """Attributes, parameters and children."""
        record = record_of(self)
        return [*super().__dir__(), *record.values, *record.children]

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles carry; a shallow copy shares children and arrays, and is set by itself."""
        return {**vars(self), "_record": record_of(self).copy()}

    def __repr__(self) -> str:
        """How the module was made, what it holds, and the same of all below."""
        return description(self)
