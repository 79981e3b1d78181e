"""The arguments of `TensorBoard`, checked before anything is written."""

import datetime
import importlib
import os
import socket
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._errors import did_you_mean, listing, short_type

_ARGUMENTS = ("logdir", "update_freq", "histogram_freq", "hparams", "purge_step", "comment")
_NOT_HERE = "There is none of it here; leave it out."

# Keras' other arguments, and what to write here.
_ELSEWHERE = {
    "log_dir": 'Write `logdir="logs"`.',
    "write_graph": "There is no graph; `model.summary(x)` prints the modules. Leave it out.",
    "write_images": "Write `histogram_freq=1` to see how the parameters are distributed.",
    "write_steps_per_second": "The progress bar shows the speed; leave it out.",
    "profile_batch": "Run `fit` in `with jax.profiler.trace(logdir):`.",
    "embeddings_freq": _NOT_HERE,
    "embeddings_metadata": _NOT_HERE,
}


def refuse_unknown(unknown: Mapping[str, Any]) -> None:
    """Raise for arguments that do not exist, saying what to write instead."""
    for name in unknown:
        advice = _ELSEWHERE.get(name) or "Leave it out." + did_you_mean(name, _ARGUMENTS)
        raise TypeError(
            f"TensorBoard was given `{name}=`, which does not exist. It takes: {listing(_ARGUMENTS)}. {advice}"
        )


def require_library() -> None:
    """Raise if tensorboardX cannot be imported."""
    try:
        importlib.import_module("tensorboardX")
    except ImportError as error:
        raise ImportError(
            "A `TensorBoard` callback was made. It writes with tensorboardX, which is not installed. "
            'Write `pip install "elegy[tensorboard]"`.'
        ) from error


def default_folder(comment: str) -> str:
    """`runs/<time>_<host><comment>`."""
    now = datetime.datetime.now().strftime("%b%d_%H-%M-%S")
    return os.path.join("runs", f"{now}_{socket.gethostname()}{comment}")


def every_steps(update_freq: Any) -> int | None:
    """Every how many steps training is logged; None is once an epoch."""
    if update_freq == "epoch":
        return None
    if update_freq == "batch":
        return 1
    if isinstance(update_freq, str) or not _is_whole(update_freq, 1):
        raise ValueError(
            f'TensorBoard got `update_freq={update_freq!r}`. It is "epoch", "batch", or a number of steps from 1. '
            "Give one of these."
        )
    return int(update_freq)


def checked_hparams(hparams: Any) -> dict[str, Any]:
    """Hyper-parameters as a dict of plain Python values."""
    if hparams is not None and not isinstance(hparams, Mapping):
        raise TypeError(
            f"TensorBoard got `hparams` of type {type(hparams).__name__}. They are a dict from names to values. "
            'Write `hparams={"learning_rate": 1e-3}`.'
        )
    return {name: _checked_hparam(name, value) for name, value in (hparams or {}).items()}


def whole(name: str, value: Any) -> int:
    """A whole number from 0."""
    if not _is_whole(value, 0):
        raise ValueError(f"TensorBoard got `{name}={value!r}`. It is a whole number from 0. Give one.")
    return int(value)


def _checked_hparam(name: Any, value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(name, str) and isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(
        f"TensorBoard got the hyper-parameter `{name!r}` of type {short_type(value)}. A hyper-parameter is a name with "
        "a number, a bool or a string. Give one of these, like `str(value)`."
    )


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= least)
