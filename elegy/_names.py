"""Names as logs show them: snake case of classes, and suffixes that keep names apart."""

import re
from collections.abc import Container
from typing import Any


def snake_case(name: str) -> str:
    """A class name in the words of the logs: `GlobalL1L2` -> `global_l1_l2`, `MSE` -> `mse`.

    An underscore goes before each capital; single letters then join the next part, so that abbreviations stay whole.
    """
    parts = [part for part in re.sub(r"(?=[A-Z])", "_", name).split("_") if part]
    joined: list[str] = []
    glue = ""
    for part in parts:
        if len(part) == 1:
            glue += part
        else:
            joined.append(glue + part)
            glue = ""
    if glue:
        joined.append(glue)
    return "_".join(joined).lower()


def unique_name(name: str, taken: Container[str]) -> str:
    """`name`, or `name_1`, `name_2`, ... if it is taken."""
    if name not in taken:
        return name
    number = 1
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def name_of(consumer: Any) -> str:
    """What logs and errors call a loss, metric, module or function: its `name`, else its class or function name."""
    name = getattr(consumer, "name", None)
    if isinstance(name, str) and name:
        return name
    if isinstance(consumer, type):
        return snake_case(consumer.__name__)
    function_name = getattr(consumer, "__name__", None)
    if isinstance(function_name, str):
        return "lambda" if function_name == "<lambda>" else function_name
    inner = getattr(consumer, "func", None)  # functools.partial
    return name_of(inner) if callable(inner) else snake_case(type(consumer).__name__)
