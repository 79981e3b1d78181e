"""Arguments that list how large or how many each part of a network is."""

from typing import Any

from ..module import Module
from ..nn._requirements import positive, who


def counts(layer: Module, argument: str, values: Any) -> tuple[int, ...]:
    """The values as whole numbers of at least 1, of which there is at least one.

    Raises:
        ValueError: they are something else.
    """
    if isinstance(values, (list, tuple)) and values:
        return tuple(positive(layer, argument, value) for value in values)
    raise ValueError(
        f"{who(layer)} was given {argument}={values!r}. It takes a number for each part, from the first to the last. "
        f"Give a list such as `{argument}=[2, 2]`."
    )
