"""`RunState`: every array of a run in one immutable pytree."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._logs import Logs, Ratio, Running, Totals, without_skipped
from ._reduce import sample_count


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class RunState:
    """All arrays of a run: what is trained, donated, sharded, mapped over and saved is always this one value.

    Attributes:
        parameters: nested dicts of what the module learns.
        states: nested dicts of what the module keeps besides, like running statistics.
        optimizer: the state of the Optax transformation.
        metrics: by metric its state in the running pass.
        sums: the exact sums of the running pass; None before there are any.
        live: by path the numbers that may be changed while a fit runs: loss weights, `lr_scale`.
        step: int32 scalar, the training steps done.
        epoch: int32 scalar, the epoch that runs.
        data_pass: int32 scalar, the passes over the data that were finished.
        count: int32 scalar, the batches of the running evaluation.
        nonfinite: int32 scalar, the first step of this fit whose loss was NaN or infinite; -1 if there was none.
        seed: uint32 array `(2,)`, from which all keys are made.
        ema: with `Model(ema=...)` the averages `parameters`, nested dicts like the parameters, in float32 at least, and
            `updates`, int32 `(parameters,)`, how many updates each holds; else None.

    Example:
        >>> import elegy, numpy as np
        >>> state = elegy.Model(elegy.nn.Linear(2)).init(np.ones((1, 3)))
        >>> int(state.step), state.parameters["w"].shape
        (0, (3, 2))
    """

    parameters: Any
    states: Any
    optimizer: Any
    metrics: dict[str, Any]
    sums: Totals | None
    live: dict[str, jax.Array]
    step: jax.Array
    epoch: jax.Array
    data_pass: jax.Array
    count: jax.Array
    nonfinite: jax.Array
    seed: jax.Array
    ema: Any = None

    def observe(self, logs: Mapping[str, Any]) -> "RunState":
        """The state after one more batch of an evaluation: its logs are added to the sums, and it is counted.

        Args:
            logs: by name `Ratio` or `Running`.
        """
        return dataclasses.replace(self, sums=self._added(logs), count=self.count + 1)

    def advance(self, logs: Mapping[str, Any], skipped: Any = None) -> "RunState":
        """The state after a training step: its logs are added to the sums, and the step is counted.

        A loop written by hand calls it after `model.train_step`; `fit` does so itself.

        Args:
            logs: what `train_step` returned.
            skipped: bool scalar; of a skipped step only the log `skipped_steps` is added. None: it was not.
        """
        nonfinite = self.nonfinite
        if isinstance(logs.get("loss"), Ratio):
            broken = (nonfinite < 0) & ~jnp.isfinite(logs["loss"].value)
            nonfinite = jnp.where(broken, self.step, nonfinite)
        counted = logs if skipped is None else without_skipped(logs, skipped)
        return dataclasses.replace(self, sums=self._added(counted), step=self.step + 1, nonfinite=nonfinite)

    def _added(self, logs: Mapping[str, Any]) -> Totals:
        return (Totals.empty(logs) if self.sums is None else self.sums).add(logs)


def as_logs(logs: Any, batch: Any, who: str) -> Logs:
    """What a step returned as logs, with plain scalars as exact means over the batch's samples.

    Raises:
        TypeError: the logs are no mapping, or one of them is no scalar.
    """
    if not isinstance(logs, Mapping):
        raise TypeError(
            f"{who} returned logs of type {type(logs).__name__}. Logs are a mapping from names to values. "
            "Return `(state, logs)` with `logs` a dict."
        )
    samples = sample_count(batch)
    return Logs({name: _as_log(name, log, samples, who) for name, log in logs.items()})


def _as_log(name: str, log: Any, samples: int, who: str) -> Any:
    if isinstance(log, (Ratio, Running)):
        return log
    if np.shape(log) != ():
        raise TypeError(
            f"{who} returned the log `{name}` with shape {np.shape(log)}. A log is a scalar, an `elegy.Ratio` or an "
            "`elegy.Running`. Reduce it first."
        )
    return Ratio(samples * jnp.asarray(log, jnp.float32), jnp.float32(samples))


def seed_words(seed: int) -> np.ndarray:
    """A seed as the two uint32 words that `RunState` holds.

    Raises:
        ValueError: the seed is negative or has more than 64 bits.

    Example:
        >>> seed_words(42).tolist()
        [0, 42]
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= int(seed) < 2**64:
        raise ValueError(f"`seed={seed!r}` was given. A seed is an integer from 0 to 2**64 - 1. Choose one of these.")
    return np.array([int(seed) >> 32, int(seed) & 0xFFFFFFFF], np.uint32)


def own_copy(tree: Any) -> Any:
    """A copy of every array, so that the copy may be donated while the user keeps the original."""
    return jax.device_put(tree, may_alias=False)  # copies where the arrays are, and compiles nothing


def is_lost(state: Any) -> bool:
    """Whether the launch that made or took a state failed: arrays were donated to it, or never came to be.

    A launch may fail long after it was started; so this waits for it.
    """
    if any(isinstance(leaf, jax.Array) and leaf.is_deleted() for leaf in jax.tree.leaves(state)):
        return True
    try:
        jax.block_until_ready(state.step)
    except jax.errors.JaxRuntimeError:
        return True
    return False
