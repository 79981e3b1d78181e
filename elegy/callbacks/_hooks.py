"""Which hooks there are, and how one is called: by position as in Keras, or by the names it asks for."""

import dataclasses
import difflib
import types
from collections.abc import Callable, Collection, Mapping
from typing import Any

from .._errors import did_you_mean, listing
from .._in_step import InStep
from .._inject import OFFERED, Offer, Wants, check_offer, wants
from ._callback import Callback

# Hook by hook the arguments that Keras gives it, in Keras' order.
HOOKS: Mapping[str, tuple[str, ...]] = types.MappingProxyType(
    {
        "on_train_begin": ("logs",),
        "on_train_end": ("logs",),
        "on_epoch_begin": ("epoch", "logs"),
        "on_epoch_end": ("epoch", "logs"),
        "on_train_batch_begin": ("batch", "logs"),
        "on_train_batch_end": ("batch", "logs"),
        "on_test_begin": ("logs",),
        "on_test_end": ("logs",),
        "on_test_batch_begin": ("batch", "logs"),
        "on_test_batch_end": ("batch", "logs"),
        "on_predict_begin": ("logs",),
        "on_predict_end": ("logs",),
        "on_predict_batch_begin": ("batch", "logs"),
        "on_predict_batch_end": ("batch", "logs"),
        "on_exception": ("exception",),
    }
)

# Keras' short names of two hooks.
ALIASES: Mapping[str, str] = types.MappingProxyType(
    {"on_batch_begin": "on_train_batch_begin", "on_batch_end": "on_train_batch_end"}
)

# Names that always mean an injected value, never a user's own word for Keras' argument at that place.
_RESERVED = frozenset(
    (
        *("run", "batch", "epoch", "logs", "exception", *OFFERED),
        *("step", "losses", "gradients", "updates", "intermediates", "summaries"),
    )
)

# Besides the hooks, what the loop tells a progress bar.
_KNOWN = frozenset((*HOOKS, *ALIASES, "on_launch_end", "on_test_launch_end"))


@dataclasses.dataclass(frozen=True)
class Hook:
    """An overridden hook of one callback, its signature read.

    Attributes:
        name: which hook.
        owner: the callback's class name.
        function: the bound method.
        asked: what its signature names.
        places: for a call by position, Keras' arguments that it takes; None for a call by name.
    """

    name: str
    owner: str
    function: Callable[..., Any]
    asked: Wants
    places: tuple[str, ...] | None

    @property
    def who(self) -> str:
        """How errors call the hook."""
        return f"`{self.name}` of callback `{self.owner}`"

    @property
    def asked_names(self) -> tuple[str, ...]:
        """What it asks for by name."""
        return () if self.places is not None else self.asked.names

    def __call__(self, offer: Mapping[str, Any]) -> Any:
        """Call it with what it takes of the offer.

        Raises:
            InjectionError: a name without a default is not on offer.
        """
        offer = Offer(offer)  # what is `Lazy` is read anew, since the hook before may have set the state
        if self.places is not None:
            return self.function(*(offer[name] for name in self.places))
        self.check(offer, where="this call of it")
        everything = ("run", *HOOKS[self.name]) if self.asked.var_keyword else ()
        return self.function(**{name: offer[name] for name in {*self.asked.names, *everything} if name in offer})

    def check(self, offer: Mapping[str, Any], *, where: str = "this hook") -> None:
        """Raise unless everything that the hook must have is on offer.

        Raises:
            InjectionError: a name without a default is not.
        """
        if self.places is None:
            check_offer(self.asked, offer, who=self.who, where=where)


def read_hooks(callback: Any, offers: Mapping[str, Collection[str]]) -> dict[str, Hook]:
    """The hooks that a callback overrides.

    Args:
        callback: an `elegy.Callback`, or any object with hooks.
        offers: by hook that will be called what it may ask for beyond Keras' arguments; nothing says that every hook
            may be called, and ask for `run`.

    Raises:
        InjectionError: a hook asks for a name that it is not offered.
        TypeError: the object is a class, has no hooks, or has an `on_...` method that is no hook.
    """
    _check_callback(callback)
    found = {name: getattr(callback, name) for name in HOOKS if _is_overridden(callback, name)}
    for alias, name in ALIASES.items():
        function = getattr(callback, alias, None)
        if callable(function) and name not in found:
            found[name] = function
    owner = type(callback).__name__
    hooks = {name: _read_hook(name, owner, function, offers.get(name, ())) for name, function in found.items()}
    for name, hook in hooks.items():
        if not offers or name in offers:
            hook.check(hook_offer(name, offers.get(name, ("run",))))
    return hooks


def hook_offer(name: str, further: Collection[str]) -> Offer:
    """The names that a hook may ask for, with the reasons why others are missing."""
    run = ("run",) if "run" in further else ()
    return Offer(dict.fromkeys((*run, *HOOKS[name], *further)), absent=getattr(further, "absent", None))


def unknown_hook(who: str, name: str) -> str:
    """The error text for a name that is no hook."""
    return (
        f"{who} has `{name}`, which is no hook: it would never be called. The hooks are: {listing(HOOKS)}. "
        f"Rename it; a method of your own may begin with an underscore.{did_you_mean(name, HOOKS)}"
    )


def _check_callback(callback: Any) -> None:
    name = getattr(callback, "__name__", type(callback).__name__)
    if isinstance(callback, InStep):
        raise TypeError(
            f"{callback.who} was given as a callback. It runs inside training steps, and here there are none. "
            "Give it to `fit(callbacks=[...])`."
        )
    if isinstance(callback, type):
        raise TypeError(
            f"The class `{name}` was given as a callback. A callback is an instance. "
            f"Write `{name}(...)` with its arguments."
        )
    if isinstance(callback, Callback):
        for method in dir(callback):
            if method.startswith("on_") and method not in _KNOWN and callable(getattr(callback, method)):
                raise TypeError(unknown_hook(f"callback `{name}`", method))
    elif not any(callable(getattr(callback, hook, None)) for hook in (*HOOKS, *ALIASES)):
        advice = "Give an instance of a subclass of `elegy.Callback`, or an object with a method like `on_epoch_end`."
        if callable(callback):
            function = name if name.isidentifier() else "..."
            advice = f"Write `elegy.callbacks.LambdaCallback(on_epoch_end={function})`, or with another hook."
        raise TypeError(f"{callback!r} was given as a callback. It has no hook. {advice}")


def _is_overridden(callback: Any, name: str) -> bool:
    own = getattr(callback, name, None)
    return callable(own) and getattr(own, "__func__", own) is not getattr(Callback, name)


def _read_hook(name: str, owner: str, function: Callable[..., Any], further: Collection[str]) -> Hook:
    order = HOOKS[name]
    asked = wants(function)
    if _fits_by_position(asked, order, _RESERVED.union(further)):
        places = order if asked.var_positional else order[: len(asked.positional)]
        return Hook(name, owner, function, asked, places)
    return Hook(name, owner, function, asked, None)


def _fits_by_position(asked: Wants, order: tuple[str, ...], known: frozenset[str]) -> bool:
    """Whether the signature is Keras' with other words, like `lambda e, l: ...`."""
    places = asked.positional[: len(order)]
    if asked.var_positional:
        return set(asked.required) <= set(asked.positional)
    is_stranger = [place not in known for place in places]
    in_place = all(place == name for place, name in zip(places, order, strict=False) if place in known)
    if len(places) == len(order) and is_stranger[-1] and _is_misspelled(places[-1], order[-1], known):
        return False
    return any(is_stranger) and in_place and set(asked.required) <= set(places)


def _is_misspelled(place: str, keras: str, known: frozenset[str]) -> bool:
    """Whether a word at the place of Keras' `logs` looks like another name on offer: `y_prd` is no word for logs."""
    near = difflib.get_close_matches(place, sorted(known), n=1, cutoff=0.8)
    return bool(near) and near[0] != keras
