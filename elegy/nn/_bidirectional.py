"""Recurrent layers that read from both ends."""

import copy
from typing import Any

import jax
import jax.numpy as jnp

from .._errors import did_you_mean
from ..module import Module
from ._gru import GRU
from ._lstm import LSTM
from ._requirements import who
from ._simple_rnn import SimpleRNN

_MERGE_MODES = ("concat", "sum", "mul", "ave")


class Bidirectional(Module):
    """Reads a sequence forwards with one layer and backwards with another, so that each output knows both sides.

    The layers are its children `forward_layer` and `backward_layer`.

    Args:
        layer: a `SimpleRNN`, `LSTM` or `GRU`.
        merge_mode: how the two outputs are joined: `"concat"`, `"sum"`, `"mul"`, `"ave"` (their mean), or None for a
            tuple of both.
        backward_layer: the layer that reads the other way; by default one like `layer`, with arrays of its own.
        name: its name below its parent.

    Raises:
        TypeError: a layer is not recurrent.
        ValueError: the mode is unknown, both layers read the same way, or they return different things.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> layer = elegy.nn.Bidirectional(elegy.nn.GRU(4, return_sequences=True))
        >>> layer(jnp.ones((2, 5, 3))).shape
        (2, 5, 8)

    Reference:
        Schuster and Paliwal, Bidirectional Recurrent Neural Networks, IEEE Transactions on Signal Processing 45, 1997.
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        backward_layer: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.forward_layer = self._recurrent("layer", layer)
        self.backward_layer = self._reversed(layer, backward_layer)
        self.merge_mode = merge_mode
        if merge_mode is not None and merge_mode not in _MERGE_MODES:
            raise ValueError(
                f"{who(self)} was given merge_mode={merge_mode!r}. It knows: {', '.join(_MERGE_MODES)}, None. "
                f"Write one of these.{did_you_mean(str(merge_mode), _MERGE_MODES)}"
            )

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        """Apply both layers.

        Args:
            sequences: inputs, `(batch, time, features)`.
            initial_state: the states of the layer that reads forwards, then those of the other; zeros by default.
            mask: `(batch, time)`, True for the steps that are there; others leave the states as they are, and their
                outputs are zeros.
            training: whether values are dropped; by default whether the surrounding call trains.

        Returns:
            The joined outputs, `(batch, units')` or `(batch, time, units')`; if the layers return states, a tuple of
            that and the states of both.
        """
        first = second = None
        if initial_state is not None:
            half = len(initial_state) // 2
            first, second = initial_state[:half], initial_state[half:]
        forwards = self.forward_layer(sequences, first, mask, training)
        backwards = self.backward_layer(sequences, second, mask, training)
        if not self.forward_layer.return_state:
            return self._merged(forwards, backwards, mask)
        (forwards, *states), (backwards, *others) = forwards, backwards
        return (self._merged(forwards, backwards, mask), *states, *others)

    def _merged(self, forwards: jax.Array, backwards: jax.Array, mask: Any) -> Any:
        if self.forward_layer.return_sequences:
            backwards = jnp.flip(backwards, axis=1)
            forwards, backwards = (_without_masked(outputs, mask) for outputs in (forwards, backwards))
        if self.merge_mode is None:
            return forwards, backwards
        if self.merge_mode == "concat":
            return jnp.concatenate([forwards, backwards], axis=-1)
        if self.merge_mode == "mul":
            return forwards * backwards
        both = forwards + backwards
        return both if self.merge_mode == "sum" else both / 2

    def _recurrent(self, argument: str, layer: Any) -> Any:
        if isinstance(layer, (SimpleRNN, LSTM, GRU)):
            return layer
        raise TypeError(
            f"{who(self)} was given a {type(layer).__name__} as `{argument}`. It needs a layer that can read "
            "backwards. Give a `SimpleRNN(...)`, `LSTM(...)` or `GRU(...)`."
        )

    def _reversed(self, layer: Any, given: Any) -> Any:
        if given is None:
            other = copy.copy(layer)
            other.go_backwards = not layer.go_backwards
            return other
        other = self._recurrent("backward_layer", given)
        unlike = [name for name in ("return_sequences", "return_state") if getattr(other, name) != getattr(layer, name)]
        if unlike or other.go_backwards == layer.go_backwards:
            wrong = ", ".join(f"{name}={getattr(other, name)}" for name in [*unlike, "go_backwards"])
            raise ValueError(
                f"{who(self)} was given a `backward_layer` with {wrong}. It reads the other way than `layer`, and "
                "returns the same. Set `go_backwards` of one of them, and the rest alike."
            )
        return other


def _without_masked(outputs: jax.Array, mask: Any) -> jax.Array:
    if mask is None:
        return outputs
    there = jnp.broadcast_to(jnp.asarray(mask)[..., None], outputs.shape)
    return jnp.where(there, outputs, jnp.zeros_like(outputs))
