"""Which fields of a `RunState` go through the training program, and which rest beside it."""

from typing import Any

import jax

from ._state import RunState

Fields = dict[str, Any]
_MOVING = ("parameters", "states", "optimizer", "metrics", "sums", "step", "ema")
_RESTING = ("live", "epoch", "data_pass", "count", "seed", "nonfinite")  # the last one also tells when a launch is done


def split(state: RunState) -> tuple[Fields, Fields]:
    """The fields that every training step changes, and those that rest: they need not pass through the program."""
    fields = vars(state)
    return {name: fields[name] for name in _MOVING}, {name: fields[name] for name in _RESTING}


def moved(before: RunState, after: RunState) -> tuple[Fields, Fields]:
    """The fields that move, and those of the others that are not the very same arrays as before."""
    moving, resting = split(after)
    return moving, {name: leaf for name, leaf in resting.items() if not _is_same(leaf, getattr(before, name))}


def joined(resting: Fields, moving: Fields, changed: Fields) -> RunState:
    """The state of which `split` and `moved` made parts."""
    return RunState(**{**resting, **moving, **changed})


def _is_same(a: Any, b: Any) -> bool:
    """Whether two trees hold the very same arrays."""
    return all(p is q for p, q in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))
