"""What does not learn: the patterns that users freeze and unfreeze, resolved to the places of a model."""

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ._errors import did_you_mean, listing
from ._paths import matches, matches_any


@dataclasses.dataclass(frozen=True)
class Rule:
    """One pattern that was frozen or unfrozen; later rules win.

    Attributes:
        pattern: names modules or parameters.
        freezes: whether they stop learning, or learn again.
    """

    pattern: str
    freezes: bool


def with_rules(rules: Sequence[Rule], patterns: Sequence[Any], *, freezes: bool) -> tuple[Rule, ...]:
    """The rules with further ones; no patterns means everything.

    Args:
        rules: those before.
        patterns: what `Model.freeze` or `Model.unfreeze` was given.
        freezes: which of the two it was.

    Raises:
        TypeError: a pattern is no string.
    """
    for pattern in patterns:
        if not isinstance(pattern, str):
            verb = "freeze" if freezes else "unfreeze"
            raise TypeError(
                f"`{verb}` was given a {type(pattern).__name__}. It takes path patterns, one after the other. "
                f'Write `model.{verb}("encoder/*", "**/b")`; a module object is frozen with `module.trainable = False`.'
            )
    if not patterns:
        return (Rule("**", freezes),) if freezes else ()
    kept = [rule for rule in rules if rule.pattern not in patterns]
    return (*kept, *(Rule(pattern, freezes) for pattern in dict.fromkeys(patterns)))


def resolved(rules: Iterable[Rule], paths: Collection[str]) -> tuple[str, ...]:
    """The patterns of what is frozen; where a part was unfrozen again, the nodes that are left.

    Args:
        rules: what was frozen and unfrozen, in order.
        paths: every array of the model; empty while that is not known.

    Example:
        >>> paths = ["encoder/linear/w", "encoder/linear/b", "encoder/scale", "head/w"]
        >>> resolved([Rule("encoder", True), Rule("encoder/scale", False)], paths)
        ('encoder/linear',)
    """
    frozen: list[str] = []
    for rule in rules:
        if rule.freezes:
            frozen.append(rule.pattern)
        else:
            frozen = [left for pattern in frozen for left in _without(pattern, rule.pattern, paths)]
    return tuple(dict.fromkeys(frozen))


def require_known(rules: Iterable[Rule], parameters: Collection[str], paths: Collection[str]) -> None:
    """Raise if a pattern names no module and no parameter of the model.

    Args:
        rules: what was frozen and unfrozen.
        parameters: the paths of what learns.
        paths: every array of the model.

    Raises:
        ValueError: one does.
    """
    nodes = [*dict.fromkeys(node for path in paths for node in _above(path)), *parameters]
    for rule in rules:
        if not any(matches(rule.pattern, node) for node in nodes):
            verb = "freeze" if rule.freezes else "unfreeze"
            top = dict.fromkeys(path.partition("/")[0] for path in paths)
            raise ValueError(
                f"`model.{verb}({rule.pattern!r})` was called. It names no module and no parameter; at the top there "
                f"are: {listing(top)}. Correct the pattern, after `model.unfreeze()` if it was taken before there were "
                f"arrays.{did_you_mean(rule.pattern, nodes)}"
            )


def require_free(patterns: Sequence[str], declared: Collection[str], parameters: Collection[str]) -> None:
    """Raise if something is to learn again that the user's own object declares frozen.

    Args:
        patterns: what `Model.unfreeze` was given; none means everything.
        declared: patterns of what the object declares.
        parameters: the paths of what learns; empty while that is not known.

    Raises:
        ValueError: it is.
    """
    asked = patterns or ("**",)
    for node in parameters or declared:
        named = matches_any(asked, node) or (not parameters and any(matches(node, pattern) for pattern in asked))
        if named and matches_any(declared, node):
            raise ValueError(
                f"`model.unfreeze({', '.join(map(repr, patterns))})` was called. `{node}` is frozen by its module, "
                "whose `trainable` is False. Set `trainable = True` on that module."
            )


def _without(pattern: str, freed: str, paths: Collection[str]) -> list[str]:
    """Patterns of what one pattern names and another does not: the pattern itself, or the largest nodes left."""
    named = [path for path in paths if matches(pattern, path)]
    left = {path for path in named if not matches(freed, path)}
    if len(left) == len(named):
        return [pattern] if named or pattern != freed else []
    broken = {node for path in paths if path not in left for node in _above(path)}
    covers = (next((node for node in _above(path) if node not in broken), path) for path in named if path in left)
    return list(dict.fromkeys(covers))


def _above(path: str) -> list[str]:
    """The modules that a path leads through, outermost first."""
    names = path.split("/")[:-1]
    return ["/".join(names[: end + 1]) for end in range(len(names))]
