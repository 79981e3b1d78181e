"""The types of the module protocol."""

import dataclasses
from typing import Any, Protocol

import jax

from .._logs import Logs


@dataclasses.dataclass(frozen=True)
class Variables:
    """What an initialization makes.

    Attributes:
        parameters: nested dicts of what learns.
        states: nested dicts of what does not.
    """

    parameters: Any
    states: Any


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Extras:
    """What hooks added while a module ran, in the order of the calls.

    Attributes:
        losses: by name what `add_loss` was given, one value for each time.
        metrics: by path what `add_metric` was given.
        summaries: by path what `add_summary` was given.
        intermediates: by path `encoder/linear` the outputs of modules, if they were captured.
    """

    losses: Logs = dataclasses.field(default_factory=Logs)
    metrics: Logs = dataclasses.field(default_factory=Logs)
    summaries: Logs = dataclasses.field(default_factory=Logs)
    intermediates: Logs = dataclasses.field(default_factory=Logs)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Applied:
    """What an application makes.

    Attributes:
        outputs: what the module returned.
        states: the states afterwards.
        extras: what hooks added.
    """

    outputs: Any
    states: Any
    extras: Extras


class Init(Protocol):
    """Makes the first arrays."""

    def __call__(self, key: jax.Array, x: Any) -> Variables:
        """Arrays for inputs of the shapes of `x`; arrays that the user's object holds already are kept."""
        ...


class Apply(Protocol):
    """Runs a module on given arrays; pure."""

    def __call__(
        self,
        parameters: Any,
        states: Any,
        x: Any,
        *,
        key: jax.Array | None,
        training: bool,
        frozen: tuple[str, ...] = (),
        capture: bool = False,
    ) -> Applied:
        """Outputs, states afterwards and extras."""
        ...


class Read(Protocol):
    """Reads the user's object."""

    def __call__(self) -> tuple[Any, Any]:
        """Parameters and states that it holds now."""
        ...


class Write(Protocol):
    """Writes the user's object."""

    def __call__(self, parameters: Any, states: Any) -> None:
        """Put arrays onto it."""
        ...


class Clear(Protocol):
    """Empties the user's object."""

    def __call__(self) -> None:
        """Forget its arrays; an object that brought its own gets back those with which its training began."""
        ...


class Config(Protocol):
    """Reads the configuration of the user's object; called when a verb begins and after each trace."""

    def __call__(self) -> Any:
        """What a compiled step bakes in, in nests of any kind."""
        ...


class Look(Protocol):
    """Shows the user's object."""

    def __call__(self) -> Any:
        """The object with the arrays that were last written; a new one where such objects never change."""
        ...


class Frozen(Protocol):
    """Asks the user's object what does not learn."""

    def __call__(self) -> tuple[str, ...]:
        """Path patterns of modules and parameters that it declares frozen now."""
        ...


def nothing_frozen() -> tuple[str, ...]:
    """For objects that declare nothing about it."""
    return ()


@dataclasses.dataclass(frozen=True)
class Functional:
    """A module of any kind as pure functions; every library's modules go through this.

    Attributes:
        name: how errors call it.
        init: makes the first arrays.
        apply: runs it on given arrays.
        read: the arrays on the user's object.
        write: puts arrays onto the user's object.
        clear: forgets the arrays on the user's object.
        module: the user's object as it is now, of which `as_functional` makes the same again.
        config: what a compiled step bakes in of the user's object; None if that is all of it but its arrays.
        frozen: what the user's object declares frozen; `apply` gets it back among its `frozen`.
        batched: whether the user's object takes whole batches.
        captures: whether `apply(capture=True)` can tell what the modules inside return.
        per_sample: whether modules of this library are usually written for one sample; errors then say so.
    """

    name: str
    init: Init
    apply: Apply
    read: Read
    write: Write
    clear: Clear
    module: Look
    config: Config | None = None
    frozen: Frozen = nothing_frozen
    batched: bool = True
    captures: bool = True
    per_sample: bool = False
