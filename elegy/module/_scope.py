"""The scope of a running call: values are read from it and written to it, never to the module."""

import contextlib
import contextvars
import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import get_opaque_trace_state

from .._errors import ModuleOrderError, listing, short_type
from .._names import snake_case
from .._paths import matches
from ._compare import has_tracer, same_argument
from ._keys import consumer_key
from ._parameter import Spec
from ._record import Child, Record, children_of, record_of


@dataclasses.dataclass
class Frame:
    """One running `call`.

    Attributes:
        module: whose call it is.
        counts: by type name how many children were made so far.
        made: identities of the children made.
        constructing: how many constructors run inside; modules made there are attributes, not children of the call.
    """

    module: Any
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    made: set[str] = dataclasses.field(default_factory=set)
    constructing: int = 0


class Scope:
    """Everything a call reads and writes.

    Args:
        root: the outermost module.
        values: by path `encoder/linear/w` the arrays.
        training: whether modules train.
        key: the key of this step, or None.
        initializing: whether parameters and children are made now.
        frozen: patterns of parameters that do not learn.
        capture: whether the outputs of modules are kept.
    """

    def __init__(
        self,
        root: Any,
        values: dict[str, Any],
        *,
        training: bool,
        key: jax.Array | None,
        initializing: bool = False,
        records: dict[int, tuple[Any, Record]] | None = None,
        frozen: tuple[str, ...] = (),
        capture: bool = False,
    ) -> None:
        self.values = values
        self.training = training
        self.initializing = initializing
        self.records = {} if records is None else records
        self.frozen = frozen
        self.captured: dict[str, Any] | None = {} if capture else None
        self.dtypes: dict[str, Any] = {}
        self.frames: list[Frame] = []
        self._key = key
        self._requests: dict[str, int] = {}
        self._paths: dict[int, tuple[str, Any]] = {}
        self._trace = get_opaque_trace_state()
        self.place(root, "")

    # ---- places ----

    def place(self, module: Any, path: str) -> None:
        """Give a module and all below it their paths; the first path of a shared module is its own."""
        if id(module) in self._paths:
            return
        self._paths[id(module)] = (path, module)
        for name, child in children_of(module, self.record(module)):
            self.place(child, f"{path}/{name}" if path else name)

    def path(self, module: Any) -> str:
        """The module's canonical path; a module nobody knows yet becomes a child of the running call."""
        if id(module) not in self._paths:
            self._adopt(module)
        return self._paths[id(module)][0]

    def knows(self, module: Any) -> bool:
        """Whether the module has a path here."""
        return id(module) in self._paths

    def record(self, module: Any) -> Record:
        """The module's record; while initializing a draft that counts only if everything succeeds."""
        if not self.initializing:
            return record_of(module)
        if id(module) not in self.records:
            self.records[id(module)] = (module, record_of(module).draft())
        return self.records[id(module)][1]

    def _adopt(self, module: Any) -> None:
        frame = self.frames[-1]
        record = self.record(frame.module)
        identity = self._identity(frame, type(module), module.name)
        if self.initializing:
            record.children[identity] = Child(module, identity, (), {}, is_named=True, seen={True, False})
        self.place(module, self._join(frame.module, identity))

    # ---- children made in a call ----

    def child(self, cls: type, args: tuple[Any, ...], kwargs: dict[str, Any], build: Callable[[], Any]) -> Any:
        """The child that the running call constructs: made once, found again at every later call."""
        frame = self.frames[-1]
        own_name = own_name_of(cls, args, kwargs)
        identity = self._identity(frame, cls, own_name)
        if identity in frame.made:
            raise ValueError(
                f"{self._who(frame.module)} makes two children with the name `{identity}`. "
                "The first one has it already. Give each `name=` once."
            )
        frame.made.add(identity)
        if has_tracer((args, kwargs)):
            raise ValueError(
                f"{self._who(frame.module)} constructs `{identity}` with an array that is computed in the "
                "call. A module's "
                "constructor takes fixed values. Pass the array to the module's call."
            )
        record = self.record(frame.module)
        known = record.children.get(identity)
        if known is None or not (known.has_arrays or self.initializing):
            child = self._build(frame, build)
            if self.initializing:
                self._refuse_taken(frame.module, record, identity)
                record.children[identity] = Child(child, identity, args, kwargs, is_named=own_name is not None)
                record.children[identity].seen.add(self.training)
            self.place(child, self._join(frame.module, identity))
            return child
        known.seen.add(self.training)
        self._require_same_arguments(frame.module, identity, known, args, kwargs)
        return known.module

    def _build(self, frame: Frame, build: Callable[[], Any]) -> Any:
        frame.constructing += 1
        try:
            return build()
        finally:
            frame.constructing -= 1

    def _identity(self, frame: Frame, cls: type, own_name: str | None) -> str:
        if own_name is not None:
            return own_name
        base = snake_case(cls.__name__)
        number = frame.counts.get(base, 0)
        frame.counts[base] = number + 1
        return f"{base}_{number}" if number else base

    def _refuse_taken(self, module: Any, record: Record, identity: str) -> None:
        owner = vars(getattr(module, "target", module)) if hasattr(module, "__dict__") else {}
        if identity in record.specs or identity in owner:
            raise ValueError(
                f"{self._who(module)} makes a child that is called `{identity}`. It has an attribute or "
                "parameter of that "
                f'name. Give the child another one: `name="..."`.'
            )

    def _require_same_arguments(
        self, module: Any, identity: str, known: Child, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        before = {**dict(enumerate(known.args)), **known.kwargs}
        now = {**dict(enumerate(args)), **kwargs}
        for name in (*before, *(name for name in now if name not in before)):
            old, new = before.get(name), now.get(name)
            if not same_argument(old, new):
                what = f"argument {name + 1}" if isinstance(name, int) else f"`{name}`"
                raise ValueError(
                    f"{self._who(module)} makes its child `{identity}` with {what} = {new!r}. "
                    f"When it was initialized it was {old!r}. Keep it the same, or reset the model."
                )

    def finish(self, frame: Frame) -> None:
        """Raise if a finished call left out a child that has arrays."""
        if self.initializing:
            return
        for identity, child in self.record(frame.module).children.items():
            if identity not in frame.made and child.has_arrays and not child.is_named:
                raise ModuleOrderError(
                    f"{self._who(frame.module)} did not make its child `{identity}` in this call. When it was "
                    "initialized it "
                    f"made: {listing(self.record(frame.module).children)}; now: {listing(sorted(frame.made))}. "
                    "Make the same "
                    "children in each call, or give this one a `name=`."
                )

    # ---- parameters ----

    def add_parameter(self, module: Any, name: str, spec: Spec) -> Any:
        """The value of a parameter, which is declared now if the module is being initialized."""
        path, record = self._join(module, name), self.record(module)
        if self.initializing:
            self._declare(module, record, name, spec, path)
        elif path not in self.values:
            raise ModuleOrderError(
                f"{self._who(module)} adds the parameter `{name}`. When the model was initialized there was "
                "none of that "
                f"name: it has {listing(self.values)}. Add it in every call, and make the same children in each."
            )
        return self.values[path]

    def _declare(self, module: Any, record: Record, name: str, spec: Spec, path: str) -> None:
        if has_tracer(spec.initializer):
            raise ValueError(
                f"{self._who(module)} initializes `{name}` with an array that is computed in the call. An "
                "initial value is "
                "fixed, or made from a key and a shape. Give a value or a function `(key, shape, dtype)`."
            )
        if spec.trainable and not jnp.issubdtype(spec.dtype, jnp.floating):
            raise ValueError(
                f"{self._who(module)} declares `{name}` as trainable with dtype {spec.dtype.name}. Only floats have "
                "gradients. Give it a float dtype, or `trainable=False`."
            )
        if name in record.children or name in vars(module) or hasattr(type(module), name):
            raise ValueError(
                f"{self._who(module)} adds a parameter that is called `{name}`. It has an attribute or child "
                "of that name. "
                "Choose another name."
            )
        known = record.specs.get(name)
        if known is not None and (known.shape, known.trainable) != (spec.shape, spec.trainable):
            raise ValueError(
                f"{self._who(module)} adds `{name}` with shape {spec.shape}. In an earlier call it had {known.shape}. "
                "A parameter keeps its shape."
            )
        if known is None:
            record.specs[name] = spec
        if path not in self.values:
            self.values[path] = jnp.zeros(record.specs[name].shape, record.specs[name].dtype)

    def update_parameter(self, module: Any, name: str, value: Any) -> None:
        """Set a value for the rest of the call and for what comes after it."""
        path, record = self._join(module, name), self.record(module)
        if name not in record.specs:
            raise ValueError(
                f"{self._who(module)} updates `{name}`, which it does not have. It has: {listing(record.specs)}. "
                "Call `add_parameter` first."
            )
        self.require_own_trace(f"{self._who(module)} updates `{name}`")
        value = jnp.asarray(value)
        if value.shape != record.specs[name].shape:
            raise ValueError(
                f"{self._who(module)} updates `{name}` with {short_type(value)}. It has the shape "
                f"{record.specs[name].shape}. A state keeps its shape."
            )
        self.values[path] = value if self.initializing else value.astype(record.specs[name].dtype)

    def value(self, module: Any, name: str) -> Any:
        """The running value of a parameter, for attribute access inside a call."""
        return self.values[self._join(module, name)]

    # ---- hooks ----

    def next_key(self) -> jax.Array:
        """A key that nobody else has."""
        path = self._paths[id(self.frames[-1].module)][0]
        self.require_own_trace(f"{self._who(self.frames[-1].module)} asks for a random key")
        if self._key is None:
            raise ValueError(
                f"{self._who(self.frames[-1].module)} asks for a random key. This call was given none. Pass `key=`."
            )
        number = self._requests.get(path, 0)
        self._requests[path] = number + 1
        return consumer_key(self._key, f"module:{path}", number)

    def is_training(self) -> bool:
        """Whether the running module trains; one whose own parameters are all frozen does not."""
        if not self.training or not self.frozen or not self.frames:
            return self.training
        module = self.frames[-1].module
        path, record = self._paths[id(module)][0], self.record(module)
        own = [self._join(module, name) for name, spec in record.specs.items() if spec.trainable]
        return not all(any(matches(pattern, leaf) for pattern in self.frozen) for leaf in own or [path])

    def require_own_trace(self, what: str) -> None:
        """Raise if a raw JAX transform runs between the scope and here."""
        if get_opaque_trace_state() != self._trace:
            raise ValueError(
                f"{what} inside a JAX transform such as `jax.jit`, `lax.scan` or `jax.checkpoint`. What it "
                "writes would "
                "leak out of the transform. Use Elegy's lifted form (`elegy.jit`, `elegy.scan`, `elegy.vmap`, "
                "`elegy.remat`), or do it outside."
            )

    def _join(self, module: Any, name: str) -> str:
        path = self.path(module)
        return f"{path}/{name}" if path else name

    def _who(self, module: Any) -> str:
        path = self._paths[id(module)][0] if id(module) in self._paths else ""
        return f"module `{path or display_name(module)}`"


def display_name(module: Any) -> str:
    """How errors call a module: its name, else its class in snake case."""
    target = getattr(module, "target", module)
    name = getattr(target, "name", None) or getattr(target, "__name__", None)
    if isinstance(name, str):
        return "lambda" if name == "<lambda>" else name
    return snake_case(type(target).__name__)


def own_name_of(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """The `name=` among constructor arguments, wherever it was given."""
    names = list(inspect.signature(cls).parameters)
    given = {**dict(zip(names, args, strict=False)), **kwargs}.get("name")
    return given if isinstance(given, str) else None


def running_scope() -> Scope | None:
    """The scope of the call that runs now in this thread, or None."""
    return _running.get()


@contextlib.contextmanager
def entered(scope: Scope | None) -> Iterator[Scope | None]:
    """Make a scope the running one; the one before comes back on every exit."""
    token = _running.set(scope)
    try:
        yield scope
    finally:
        _running.reset(token)


_running: contextvars.ContextVar[Scope | None] = contextvars.ContextVar("running_scope", default=None)
