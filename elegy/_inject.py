"""Dependency injection: call a function with just the values it asks for by name."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._errors import InjectionError, did_you_mean, listing
from ._names import name_of
from ._paths import get_path, parse

# The names of the specification's first table, in its order; every step offers them.
OFFERED = ("x", "y_true", "y_pred", "sample_weight", "class_weight", "training", "parameters", "states")

# Words of other frameworks and of older versions, and what they are called here.
FORMER_NAMES = {"inputs": "x", "preds": "y_pred", "target": "y_true", "targets": "y_true", "labels": "y_true"}


@dataclasses.dataclass(frozen=True)
class Wants:
    """What a callable asks for.

    Attributes:
        required: argument names without a default.
        optional: argument names with a default.
        var_keyword: whether it takes `**kwargs`.
        var_positional: whether it takes `*args`.
        positional: names of the arguments that may be given by position, in order.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    var_keyword: bool = False
    var_positional: bool = False
    positional: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names, required ones first."""
        return self.required + self.optional


def wants(function: Callable[..., Any]) -> Wants:
    """Read a signature once.

    Args:
        function: any callable; a bound method's `self` does not count. Callables without a readable signature
            (some written in C) ask for nothing.

    Example:
        >>> wants(lambda y_true, y_pred, scale=1.0: None).names
        ('y_true', 'y_pred', 'scale')
    """
    if isinstance(function, Bound):
        return function.wants
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return Wants()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return Wants(
        required=tuple(p.name for p in named if p.default is p.empty),
        optional=tuple(p.name for p in named if p.default is not p.empty),
        var_keyword=any(p.kind is p.VAR_KEYWORD for p in parameters),
        var_positional=any(p.kind is p.VAR_POSITIONAL for p in parameters),
        positional=tuple(p.name for p in named if p.kind is not p.KEYWORD_ONLY),
    )


def call_with(function: Callable[..., Any], offer: Mapping[str, Any], *, who: str, where: str = "this step") -> Any:
    """Call `function` with what it names, taken from `offer`; what it does not name is never looked up.

    `**kwargs` receives the eight names of `OFFERED` and the batch's further names, nothing else.

    Args:
        function: the callable.
        offer: values by name; may be lazy.
        who: how errors call the function, like "loss `mse`".
        where: what the offer belongs to, like "a test step".

    Raises:
        InjectionError: a name without a default is not on offer.

    Example:
        >>> call_with(lambda y_pred, y_true: y_pred - y_true, {"y_true": 1, "y_pred": 3, "x": 0}, who="loss `f`")
        2
    """
    if isinstance(function, Bound):
        return function.call_with(offer, who=who, where=where)
    source = injected_call(function)
    arguments = arguments_for(source, offer, who=who, where=where)
    if source is not function and "sample_weight" in offer:  # a loss or metric weighs also when its `call` does not
        arguments["sample_weight"] = offer["sample_weight"]
    return function(**arguments)


def arguments_for(
    function: Callable[..., Any], offer: Mapping[str, Any], *, who: str, where: str = "this step"
) -> dict[str, Any]:
    """The keyword arguments that `call_with` gives to `function`."""
    return arguments_of(wants(function), offer, who=who, where=where)


def arguments_of(asked: Wants, offer: Mapping[str, Any], *, who: str, where: str = "this step") -> dict[str, Any]:
    """The keyword arguments for a function whose signature was read before; else like `arguments_for`."""
    check_offer(asked, offer, who=who, where=where)
    arguments = {name: offer[name] for name in asked.names if name in offer}
    if asked.var_keyword:
        further = getattr(offer, "further", ())
        names = [name for name in (*OFFERED, *further) if name not in arguments]
        arguments.update({name: offer[name] for name in names if name in offer})
        arguments.update({name: None for name in getattr(offer, "absent", ()) if name not in arguments})
    return arguments


def check_offer(asked: Wants, offer: Mapping[str, Any], *, who: str, where: str = "this step") -> None:
    """Raise an InjectionError that names the first required name which is not on offer."""
    for name in asked.required:
        if name not in offer:
            former = f" Here `{name}` is called `{FORMER_NAMES[name]}`." if name in FORMER_NAMES else ""
            why = offer.reason(name) if isinstance(offer, Offer) else ""
            raise InjectionError(
                f"{who} asks for `{name}`, which {where} does not have. It has: {listing(offer)}. "
                f"{why or 'Ask for one of these names, or give the argument a default.'}"
                f"{former or did_you_mean(name, offer)}"
            )


class Offer(Mapping[str, Any]):
    """Values by name, each made when it is first asked for.

    Args:
        providers: by name a value, or a function without arguments wrapped in `Lazy`.
        further: names of a named batch beyond the eight, for `**kwargs`.
        absent: names that this step could have but does not, each with the sentence that the error ends with;
            `**kwargs` receives them as None.

    Example:
        >>> offer = Offer({"x": 1, "y_pred": Lazy(lambda: 2)})
        >>> offer["y_pred"]
        2
    """

    def __init__(
        self, providers: Mapping[str, Any], *, further: tuple[str, ...] = (), absent: Mapping[str, str] | None = None
    ) -> None:
        self._providers = dict(providers)
        self.further = further
        self.absent = dict(absent or {})

    def __getitem__(self, name: str) -> Any:
        value = self._providers[name]
        if isinstance(value, Lazy):
            value = self._providers[name] = value.make()
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._providers

    def __iter__(self) -> Iterator[str]:
        return iter(self._providers)

    def __len__(self) -> int:
        return len(self._providers)

    def reason(self, name: str) -> str:
        """Why `name` is not on offer, if there is something to say."""
        return self.absent.get(name, "")

    def extended(self, providers: Mapping[str, Any], *, absent: Mapping[str, str] | None = None) -> "Offer":
        """This offer and more; what is lazy in another offer stays so.

        Args:
            providers: values by name, or an offer.
            absent: names that are still missing, each with the sentence that the error ends with.
        """
        further, reasons = self.further, {**self.absent, **(absent or {})}
        if isinstance(providers, Offer):
            further = tuple(dict.fromkeys((*further, *providers.further)))
            reasons |= providers.absent
            providers = providers._providers
        return Offer({**self._providers, **providers}, further=further, absent=reasons)


@dataclasses.dataclass(frozen=True)
class Lazy:
    """A value of an offer that is made when somebody asks."""

    make: Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Bound:
    """A consumer whose arguments are pointed at other places; made by `bind`.

    Attributes:
        consumer: the loss, metric or function.
        paths: by argument name the path it reads.
    """

    consumer: Any
    paths: Mapping[str, str]

    @property
    def wants(self) -> Wants:
        """The roots of the paths, and what of the consumer's own names was not rebound."""
        asked = wants(injected_call(self.consumer))
        roots = tuple(dict.fromkeys(str(parse(path)[0]) for path in self.paths.values()))
        required = tuple(dict.fromkeys(roots + tuple(n for n in asked.required if n not in self.paths)))
        optional = tuple(n for n in asked.optional if n not in self.paths and n not in required)
        return Wants(required, optional, asked.var_keyword)

    def offer(self, offer: Mapping[str, Any], *, who: str, where: str = "this step") -> Offer:
        """What the consumer sees: the offer, with each rebound name read from its path."""
        check_offer(self.wants, offer, who=who, where=where)
        values = {name: Lazy(functools.partial(offer.__getitem__, name)) for name in offer}
        for name, path in self.paths.items():
            root, *rest = parse(path)
            values[name] = Lazy(lambda root=str(root), rest=tuple(rest): get_path(offer[root], rest, root=root))
        return Offer(values, further=getattr(offer, "further", ()), absent=getattr(offer, "absent", None))

    def call_with(self, offer: Mapping[str, Any], *, who: str, where: str = "this step") -> Any:
        """`call_with` for the consumer inside."""
        return call_with(self.consumer, self.offer(offer, who=who, where=where), who=who, where=where)

    def __call__(self, **named: Any) -> Any:
        who = f"`{name_of(self.consumer)}`"
        return self.call_with(Offer(named), who=who, where="this call")


def bind(consumer: Any, **paths: str) -> Bound:
    """Point arguments of a loss, metric or function at any path of what is injected.

    So a built-in serves auto-encoders and models with several heads, without a class of its own.

    Args:
        consumer: a loss, metric or function.
        **paths: by argument name a path, like `y_true="x"` or `y_pred="y_pred.decoded[0]"`.

    Returns:
        A consumer for `Model(loss=...)` or `Model(metrics=...)`; it can be called with keywords too.

    Raises:
        InjectionError: the consumer has no argument of that name.
        ValueError: a path cannot be read.

    Example:
        >>> double = bind(lambda y_true, y_pred: y_true + y_pred, y_true="x", y_pred="y_pred[0]")
        >>> double(x=1, y_pred=(2, 3))
        3
    """
    asked = wants(injected_call(consumer))
    for name, path in paths.items():
        if not isinstance(path, str):
            raise TypeError(
                f'bind got `{name}={path!r}`. A path is a string. Write it like `{name}="y_pred.decoded[0]"`.'
            )
        parse(path)
        if name not in asked.names and not asked.var_keyword:
            raise InjectionError(
                f"bind points `{name}` at `{path}`, which `{name_of(consumer)}` does not ask for. "
                f"It asks for: {listing(asked.names)}. Bind one of these." + did_you_mean(name, asked.names)
            )
    return Bound(consumer, dict(paths))


def injected_call(consumer: Any) -> Callable[..., Any]:
    """The function of a consumer whose signature says what it asks for."""
    if isinstance(consumer, Bound):
        return consumer
    return getattr(consumer, "injected", getattr(consumer, "from_model_output", consumer))
