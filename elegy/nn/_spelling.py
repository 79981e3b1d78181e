"""Arguments that a layer does not have, answered with the name that it has for them."""

import inspect
from collections.abc import Mapping
from typing import Any

from .._errors import did_you_mean, listing
from ..module import Module
from ._requirements import who


def refuse_unknown(layer: Module, unknown: Mapping[str, Any], elsewhere: Mapping[str, str]) -> None:
    """Raise for keyword arguments of a constructor that do not exist, saying what to write instead.

    Args:
        layer: whose they are.
        unknown: the arguments.
        elsewhere: by names of other layers or libraries what they are called here.

    Raises:
        TypeError: there is one.
    """
    for name in unknown:
        parameters = inspect.signature(type(layer)).parameters.values()
        known = [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
        advice = f"Here it is called `{elsewhere[name]}`." if name in elsewhere else "Leave it out."
        raise TypeError(
            f"{who(layer)} was given `{name}=`, which does not exist. It takes: {listing(known)}. {advice}"
            + ("" if name in elsewhere else did_you_mean(name, known))
        )
