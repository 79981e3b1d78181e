"""One small path language for everything that names a place in a tree: `bind`, `on`, freezing, optimizers, weights."""

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ._errors import did_you_mean, listing

Step = str | int
_TOKEN = re.compile(r"\[(-?\d+)\]|([^./\[\]]+)")


def parse(path: str) -> tuple[Step, ...]:
    """The steps of a path: `y_pred.decoded[0]` and `y_pred/decoded/0` both start at `y_pred`.

    Args:
        path: names joined by `.` or `/`; `[0]` is an index, a bare number stays a name until it meets a sequence.

    Returns:
        Names as `str`, bracketed indices as `int`.

    Raises:
        ValueError: the path is empty or has stray brackets.

    Example:
        >>> parse("y_pred.decoded[0]")
        ('y_pred', 'decoded', 0)
    """
    rest = _TOKEN.sub("", path).replace(".", "").replace("/", "")
    steps = tuple(int(index) if index else name for index, name in _TOKEN.findall(path))
    if rest or not steps:
        raise ValueError(
            f"`{path}` is no path. A path is names joined by `/` or `.`. Write it like `y_pred.decoded[0]`."
        )
    return steps


def join(*steps: Step) -> str:
    """Steps as users read them: joined by `/`.

    Example:
        >>> join("encoder", 0, "w")
        'encoder/0/w'
    """
    return "/".join(str(step) for step in steps if step != "")


def slashed(name: str) -> str:
    """A path as it is printed, so that two spellings of one place are equal; what is no path stays as it is.

    Example:
        >>> slashed("val_accuracy.left[0]"), slashed("no path: []")
        ('val_accuracy/left/0', 'no path: []')
    """
    try:
        return join(*parse(name))
    except ValueError:
        return name


def get_path(tree: Any, path: str | Sequence[Step], *, root: str = "") -> Any:
    """The value at `path` in nested mappings, sequences, namedtuples and dataclasses.

    Args:
        tree: where to look.
        path: a path, or its steps.
        root: how the error calls `tree`.

    Raises:
        KeyError: a step is not there; the message lists what is on offer.

    Example:
        >>> get_path({"decoded": [10, 20]}, "decoded[-1]")
        20
        >>> get_path({"encoder/linear": 3}, "encoder.linear")
        3
    """
    steps = parse(path) if isinstance(path, str) else tuple(path)
    value, depth = tree, 0
    while depth < len(steps):
        key, taken = _longest_key(value, steps[depth:])
        value = _take(value, key, join(root, *steps[:depth]) or "the value")
        depth += taken
    return value


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern names `path`, or a node above it: who names a node names all below it.

    `*` stands for any text within one name, `**` for any number of names.

    Example:
        >>> matches("encoder/*", "encoder/linear/w"), matches("**/w", "encoder/linear/w"), matches("w", "encoder/w")
        (True, True, False)
    """
    return bool(_compiled(pattern).fullmatch(path.replace(".", "/")))


def matches_any(patterns: Iterable[str], path: str) -> bool:
    """Whether one of several patterns names `path`, or a node above it."""
    return any(matches(pattern, path) for pattern in patterns)


def flatten(tree: Any) -> dict[str, Any]:
    """Nested dicts as one dict from path to leaf, in the order of the tree.

    Example:
        >>> flatten({"linear": {"w": 1, "b": 2}})
        {'linear/w': 1, 'linear/b': 2}
    """
    flat: dict[str, Any] = {}

    def walk(node: Any, path: tuple[str, ...]) -> None:
        if isinstance(node, Mapping):
            for name, child in node.items():
                walk(child, (*path, str(name)))
        else:
            flat["/".join(path)] = node

    walk(tree, ())
    return flat


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The nested dicts of which `flatten` made `flat`.

    Example:
        >>> unflatten({"linear/w": 1, "linear/b": 2})
        {'linear': {'w': 1, 'b': 2}}
    """
    tree: dict[str, Any] = {}
    for path, leaf in flat.items():
        *parents, name = path.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = leaf
    return tree


def _longest_key(value: Any, steps: tuple[Step, ...]) -> tuple[Step, int]:
    """The next step, and how many of `steps` it takes: keys of a mapping may be paths, like those of logs."""
    if isinstance(value, Mapping):
        for count in range(len(steps), 1, -1):
            if join(*steps[:count]) in value:
                return join(*steps[:count]), count
    return steps[0], 1


def _take(value: Any, step: Step, where: str) -> Any:
    if isinstance(value, Mapping):
        for key in (step, str(step), int(step) if str(step).isdigit() else step):
            if key in value:
                return value[key]
        offer = list(value)
    elif fields := _fields(value):
        offer = fields
        if step in offer:
            return getattr(value, str(step))
    elif isinstance(value, (list, tuple)):
        index = int(step) if re.fullmatch(r"-?\d+", str(step)) else None
        if index is not None and -len(value) <= index < len(value):
            return value[index]
        offer = list(range(len(value)))
    else:
        raise KeyError(
            f"`{step}` was asked for in {where}. That is a single value of type {type(value).__name__}, "
            "which has nothing below it. End the path one step earlier."
        )
    raise KeyError(
        f"`{step}` was asked for in {where}. It has: {listing(offer)}. Use one of these."
        + did_you_mean(str(step), map(str, offer))
    )


def _fields(value: Any) -> list[str]:
    """The names in a namedtuple or a dataclass."""
    if hasattr(value, "_fields"):
        return list(value._fields)
    return [field.name for field in dataclasses.fields(value)] if dataclasses.is_dataclass(value) else []


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    names = pattern.replace(".", "/").strip("/").split("/")
    parts = []
    for position, name in enumerate(names):
        last = position == len(names) - 1
        if name == "**":
            parts.append(".*" if last else "(?:[^/]+/)*")
        else:
            text = re.escape(name).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
            parts.append(text if last else text + "/")
    return re.compile("".join(parts) + "(?:/.*)?")
