"""The scope of a running call: values are read from it and written to it, never to the module."""

import contextlib
import contextvars
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import get_opaque_trace_state

from .._errors import ModuleOrderError, listing, short_type
from .._names import snake_case, unique_name
from .._paths import matches_any
from ._added import named_parts
from ._children import first_difference, own_name_of, refuse_taken, require_plain_name
from ._compare import has_tracer
from ._keys import consumer_key
from ._parameter import Spec, require_declarable
from ._places import below, is_below, tree_of
from ._protocol import Extras
from ._record import Child, Record, attributes_of, display_name, record_of


@dataclasses.dataclass
class Frame:
    """One running `call`.

    Attributes:
        module: whose call it is.
        counts: by type name the number of the next child.
        made: identities of the children made.
        constructing: how many constructors run inside; modules made there are attributes, not children of the call.
        trace: the JAX trace that the call runs in.
    """

    module: Any
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    made: set[str] = dataclasses.field(default_factory=set)
    constructing: int = 0
    trace: Any = dataclasses.field(default_factory=get_opaque_trace_state)


class RetraceError(BaseException):
    """Arrays are read inside a raw transform: the initialization starts again, in a context of its own.

    No `Exception`, so that no `except` of the user's takes it; what is left by it is not kept in JAX's caches.
    """


class Scope:
    """Everything a call reads and writes.

    Args:
        root: the outermost module.
        values: by path `encoder/linear/w` the arrays; while initializing those that were updated.
        training: whether modules train.
        key: the key of this step, or None.
        initializing: whether parameters and children are made now.
        records: while initializing by identity the modules and the drafts of their records.
        frozen: patterns of parameters that do not learn.
        capture: whether the outputs of modules are kept.
        why_no_key: why there is no key, in words, where that is not for the caller to give.

    Attributes:
        extras: what hooks added so far.
        stacks: in the body of a lifted transform, paths below which it sees one part of each array, and how many there
            are.
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
        why_no_key: str = "",
    ) -> None:
        self.values = values
        self.training = training
        self.initializing = initializing
        self.records = {} if records is None else records
        self.frozen = frozen
        self.captures = capture
        self.extras = Extras()
        self.frames: list[Frame] = []
        self.key = key
        self._why_no_key = why_no_key or "This call was given none. Pass `key=`."
        self.requests: dict[str, int] = {}
        self.paths: dict[int, tuple[str, Any]] = {}
        self.trace = get_opaque_trace_state()
        self.stacks: tuple[tuple[str, int], ...] = ()
        self._place(root, "")
        self.must_retrace = initializing or self.record(root).has_transforms
        self.may_restart = initializing and not self.record(root).has_transforms

    # ---- places ----

    def path(self, module: Any) -> str:
        """The module's canonical path; a module nobody knows yet becomes a child of the running call."""
        if id(module) not in self.paths:
            self._adopt(module)
        return self.paths[id(module)][0]

    def knows(self, module: Any) -> bool:
        """Whether the module has a path here."""
        return id(module) in self.paths

    def record(self, module: Any) -> Record:
        """The module's record; while initializing a draft that counts only if everything succeeds."""
        if not self.initializing:
            return record_of(module)
        if id(module) not in self.records:
            self.records[id(module)] = (module, record_of(module).draft())
        return self.records[id(module)][1]

    def _place(self, module: Any, path: str) -> None:
        """Give a module and all below it their paths; the first path of a shared module is its own."""
        for tail, found in tree_of(module, self.record):
            full = path if not tail else below(path, tail)
            self.paths.setdefault(id(found), (full, found))

    def _adopt(self, module: Any) -> None:
        parent = self.frames[-1].module
        record, name = self.record(parent), module.name
        if isinstance(name, str):
            require_plain_name(self.who(parent), name)
            refuse_taken(self.who(parent), parent, record, name)
            if name in record.children:
                raise ValueError(
                    f"{self.who(parent)} calls two modules with the name `{name}`. The first one has it already. "
                    "Give each `name=` once."
                )
        else:
            taken = {*record.children, *record.specs, *attributes_of(parent)}
            name = unique_name(snake_case(type(module).__name__), taken)
        if self.initializing:
            record.children[name] = Child(module, name, is_named=True, is_adopted=True, seen={True, False})
        self._place(module, self._join(parent, name))

    # ---- children made in a call ----

    def child(self, cls: type, args: tuple[Any, ...], kwargs: dict[str, Any], build: Callable[[], Any]) -> Any:
        """The child that the running call constructs: made once, found again at every later call."""
        frame = self.frames[-1]
        parent, record, own_name = frame.module, self.record(frame.module), own_name_of(cls, args, kwargs)
        identity = self._identity(frame, record, cls, own_name)
        if identity in frame.made:
            raise ValueError(
                f"{self.who(parent)} makes two children with the name `{identity}`. "
                "The first one has it already. Give each `name=` once."
            )
        frame.made.add(identity)
        if has_tracer((args, kwargs)):
            raise ValueError(
                f"{self.who(parent)} constructs `{identity}` with an array that is computed in the call. A module's "
                "constructor takes fixed values. Pass the array to the module's call."
            )
        known = record.children.get(identity)
        if known is not None and self._is_found_again(parent, known, args, kwargs):
            module = known.module
        else:
            module = self._build(frame, build)
        if self.initializing:
            self._remember(parent, record, Child(module, identity, args, kwargs, is_named=own_name is not None))
        self._place(module, self._join(parent, identity))
        return module

    def _is_found_again(self, parent: Any, known: Child, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether a construction stands for the known child; one without arrays is built anew where it changed.

        Raises:
            ValueError: the child has arrays and was constructed with something else.
        """
        if not self.initializing and not known.has_arrays:
            return False
        changed = first_difference(known, args, kwargs)
        if changed is None:
            return True
        if self.initializing and not known.seen and not self._holds(known.module, "values"):
            return False  # of an earlier initialization whose arrays are gone
        if self.initializing and not self._holds(known.module, "specs") and known.seen:
            return False
        what, old, new = changed
        raise ValueError(
            f"{self.who(parent)} makes its child `{known.name}` with {what} = {new!r}. "
            f"When it was initialized it was {old!r}. Keep it the same, or reset the model."
        )

    def _remember(self, parent: Any, record: Record, made: Child) -> None:
        known = record.children.get(made.name)
        if known is None:
            require_plain_name(self.who(parent), made.name)
            refuse_taken(self.who(parent), parent, record, made.name)
        else:
            made.seen, made.is_inside_transform = known.seen, known.is_inside_transform
        made.seen.add(self.training)
        # A call that runs as a whole inside a transform finds its children again, however often that runs it.
        is_split = get_opaque_trace_state() != self.frames[-1].trace
        made.is_inside_transform = made.is_inside_transform or is_split
        record.children[made.name] = made

    def _holds(self, module: Any, what: str) -> bool:
        """Whether a module or one below it has `values` or `specs`."""
        return any(getattr(self.record(part), what) for _, part in tree_of(module, self.record))

    def _build(self, frame: Frame, build: Callable[[], Any]) -> Any:
        frame.constructing += 1
        try:
            return build()
        finally:
            frame.constructing -= 1

    def _identity(self, frame: Frame, record: Record, cls: type, own_name: str | None) -> str:
        if own_name is not None:
            return own_name
        base = snake_case(cls.__name__)
        while True:  # numbers that adopted modules have are left out, whether they are called before or after
            number = frame.counts.get(base, 0)
            frame.counts[base] = number + 1
            identity = f"{base}_{number}" if number else base
            if identity not in record.children or not record.children[identity].is_adopted:
                return identity

    # ---- parameters ----

    def add_parameter(self, module: Any, name: str, spec: Spec) -> Any:
        """The value of a parameter, which is declared now if the module is being initialized."""
        path, record = self._join(module, name), self.record(module)
        if self.initializing:
            stack = self._stack(path)
            spec = dataclasses.replace(spec, shape=(*stack, *spec.shape), stack=stack)
            require_plain_name(self.who(module), name)
            taken = name in record.children or name in vars(module) or hasattr(type(module), name)
            require_declarable(self.who(module), name, spec, record.specs.get(name), taken)
            record.specs.setdefault(name, spec)
        elif path not in self.values:
            raise ModuleOrderError(
                f"{self.who(module)} adds the parameter `{name}`. When the model was initialized there was none of "
                f"that name: it has {listing(self.values)}. Add it in every call, and make the same children in each."
            )
        return self.value(module, name)

    def update_parameter(self, module: Any, name: str, value: Any) -> None:
        """Set a value for the rest of the call and for what comes after it."""
        path, record = self._join(module, name), self.record(module)
        if name not in record.specs:
            raise ValueError(
                f"{self.who(module)} updates `{name}`, which it does not have. It has: {listing(record.specs)}. "
                "Call `add_parameter` first."
            )
        self._require_own_trace(f"{self.who(module)} updates `{name}`")
        value, spec = jnp.asarray(value), record.specs[name]
        shape = spec.shape[len(self._stack(path)) :]
        if value.shape != shape:
            raise ValueError(
                f"{self.who(module)} updates `{name}` with {short_type(value)}. It has the shape {shape}. "
                "A state keeps its shape."
            )
        self.values[path] = value if self.initializing and not spec.trainable else value.astype(spec.dtype)

    def value(self, module: Any, name: str) -> Any:
        """The running value of a parameter; while initializing zeros until it is updated.

        The zeros are made anew by each reading: kept ones would leak out of a raw transform that reads them first.
        """
        path = self._join(module, name)
        if self.is_inside_transform():
            for frame in self.frames if self.initializing else ():
                self.record(frame.module).has_transforms = True
            if self.may_restart:
                raise RetraceError
        if self.initializing and path not in self.values:
            spec = self.record(module).specs[name]
            return jnp.zeros(spec.shape[len(self._stack(path)) :], spec.dtype)
        return self.values[path]

    # ---- hooks ----

    def next_key(self) -> jax.Array:
        """A key that nobody else has."""
        module = self.frames[-1].module
        path = self.path(module)
        self._require_own_trace(f"{self.who(module)} asks for a random key")
        if self.key is None:
            raise ValueError(f"{self.who(module)} asks for a random key. {self._why_no_key}")
        return self._drawn(self.key, f"module:{path}")

    def key_for(self, consumer: str) -> jax.Array | None:
        """The key from which the body of a lifted transform gets its own, if the call was given one."""
        return None if self.key is None else self._drawn(self.key, consumer)

    def _drawn(self, key: jax.Array, consumer: str) -> jax.Array:
        number = self.requests.get(consumer, 0)
        self.requests[consumer] = number + 1
        return consumer_key(key, consumer, number)

    def is_training(self) -> bool:
        """Whether the running module trains; one whose own parameters are all frozen does not."""
        if not self.training or not self.frozen or not self.frames:
            return self.training
        module = self.frames[-1].module
        specs = self.record(module).specs
        own = [name for name, spec in specs.items() if spec.trainable] or list(specs)
        asked = [self._join(module, name) for name in own] or [self.path(module)]
        return not all(matches_any(self.frozen, path) for path in asked)

    def capture(self, path: str, outputs: Any) -> None:
        """Keep a module's outputs if that was asked for; of one that is called twice the later ones.

        Those inside a raw transform cannot leave it, and the root's are known as `y_pred`.
        """
        if self.captures and path and not self.is_inside_transform():
            self.extras.intermediates[path] = outputs

    def add_loss(self, name: str, value: Any) -> None:
        """Add terms to the total loss; equal names add up."""
        for part, term in self._added("add_loss", name, value).items():
            first, *rest = part.split("/", 1)
            key = "/".join((first if first.endswith("loss") else f"{first}_loss", *rest))
            self.extras.losses[key] = (*self.extras.losses.get(key, ()), term)

    def add_metric(self, name: str, value: Any) -> None:
        """Log values averaged over the pass, below the path of the running module."""
        for part, found in self._added("add_metric", name, value).items():
            path = self._join(self.frames[-1].module, part)
            self.extras.metrics[unique_name(path, self.extras.metrics)] = found

    def add_summary(self, name: str, value: Any) -> None:
        """Log the newest values, below the path of the running module."""
        for part, found in self._added("add_summary", name, value).items():
            path = self._join(self.frames[-1].module, part)
            self.extras.summaries[unique_name(path, self.extras.summaries)] = found

    def _added(self, hook: str, name: str, value: Any) -> dict[str, Any]:
        who = self.who(self.frames[-1].module)
        parts = named_parts(hook, name, value, who)
        self._require_own_trace(f"{who} calls `{hook}({name!r}, ...)`")
        return parts

    def is_inside_transform(self) -> bool:
        """Whether a raw JAX transform runs between the scope and here."""
        return get_opaque_trace_state() != self.trace

    def who(self, module: Any) -> str:
        """How errors call a module: by its path."""
        path = self.paths[id(module)][0] if id(module) in self.paths else ""
        return f"module `{path or display_name(module)}`"

    def _require_own_trace(self, what: str) -> None:
        if self.is_inside_transform():
            raise ValueError(
                f"{what} inside a JAX transform such as `jax.jit`, `lax.scan` or `jax.checkpoint`. What it "
                "writes would leak out of the transform. Use Elegy's lifted form (`elegy.jit`, `elegy.scan`, "
                "`elegy.vmap`, `elegy.remat`), or do it outside."
            )

    def _join(self, module: Any, name: str) -> str:
        return below(self.path(module), name)

    def _stack(self, path: str) -> tuple[int, ...]:
        """The lengths of the leading axes of which the running body sees one part only."""
        return tuple(length for top, length in self.stacks if is_below(path, top))


def running_scope() -> Scope | None:
    """The scope of the call that runs now in this thread, or None."""
    return _running.get()


@contextlib.contextmanager
def entered(scope: Scope | None) -> Iterator[Scope | None]:
    """Make a scope the running one; the one before comes back on every exit."""
    token = _running.set(scope)
    try:
        if scope is None or not scope.must_retrace:
            yield scope
        else:
            # JAX remembers the trace of `jax.checkpoint(self.linear)` by its function, with the arrays it read. In a
            # context of its own a scope never meets what another one's arrays left behind. Initializations share one,
            # since what they would leave behind there ends with a `RetraceError`: JAX keeps each context's traces.
            with owner_of_traces("initialization" if scope.may_restart else object()):
                yield scope
    finally:
        _running.reset(token)


_running: contextvars.ContextVar[Scope | None] = contextvars.ContextVar("running_scope", default=None)
owner_of_traces = jax.make_user_context(None)
