"""The long short-term memory."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from ..module import Module
from ..module._parameter import initial_value
from ._activations import activation_of
from ._recurrence import States, check_options, keeper, projected, run, weights
from ._requirements import switch
from ._sequences import sequences_of


class LSTM(Module):
    """Reads a sequence step by step with a memory that gates open and close, so that it reaches far back.

    `i, f, g, o = split(x @ kernel + h @ recurrent_kernel + bias)`, `c = σ(f) c + σ(i) tanh(g)`, `h = σ(o) tanh(c)`.
    Parameters: `kernel` of shape `(features, 4 * units)`, `recurrent_kernel` `(units, 4 * units)`, `bias`
    `(4 * units,)`.

    Args:
        units: number of outputs; `>= 1`.
        activation: of the candidate and of the memory; a function, a name such as `"tanh"`, or None.
        recurrent_activation: of the gates, likewise.
        use_bias: whether `bias` is added.
        kernel_initializer: initializer of `kernel`; Glorot's uniform one by default.
        recurrent_initializer: initializer of `recurrent_kernel`; orthogonal by default.
        bias_initializer: initializer of `bias`; zeros by default.
        unit_forget_bias: whether the bias of the forget gate, f, begins at 1; not where `bias_initializer` is a value.
        dropout: probability that an input is dropped while training, the same one in all steps; `0 <= dropout < 1`.
        recurrent_dropout: the same for the output of the step before.
        return_sequences: whether the outputs of all steps are returned, or the last one.
        return_state: whether the states after the last step are returned too.
        go_backwards: whether it begins with the last step; outputs are in the order in which they were computed.
        stateful: not offered; `return_state` and `initial_state` do it.
        unroll: whether steps are compiled one after the other: faster for short sequences, slow to compile.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters, which
            `Model(precision=...)` lowers while a step runs.
        param_dtype: the dtype that its parameters are kept in.
        **unknown: names of other libraries get an error that says what to write.

    Raises:
        ValueError: an option is out of range or not offered, or the input, mask or state does not fit.
        TypeError: an argument does not exist, or the mask is not boolean.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.LSTM(4, return_sequences=True)(jnp.ones((2, 5, 3))).shape
        (2, 5, 4)

    Reference:
        Hochreiter and Schmidhuber, Long Short-Term Memory, Neural Computation 9, 1997.
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = None,
        recurrent_initializer: Any = None,
        bias_initializer: Any = None,
        unit_forget_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        **unknown: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.param_dtype = param_dtype
        self.units = units
        self.activation = activation
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.bias_initializer = bias_initializer
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        check_options(self, unknown)
        self.recurrent_activation = recurrent_activation
        self.unit_forget_bias = switch(self, "unit_forget_bias", unit_forget_bias)
        activation_of(self, "recurrent_activation", recurrent_activation)

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        """Apply the layer.

        Args:
            sequences: inputs, `(batch, time, features)`; integers are converted.
            initial_state: output and memory before the first step, two of `(batch, units)`; zeros by default.
            mask: `(batch, time)`, True for the steps that are there; others leave the states as they are and repeat the
                output before.
            training: whether values are dropped; by default whether the surrounding call trains.

        Returns:
            `(batch, units)`, or `(batch, time, units)` with `return_sequences`; with `return_state` a tuple of that and
            the last output and memory.
        """
        x = sequences_of(self, sequences)
        kernel, recurrent, bias = weights(self, x.shape[-1], 4, (4 * self.units,), self._first_bias())
        kept = keeper(self.recurrent_dropout, (len(x), self.units), kernel.dtype, training)
        activation = activation_of(self, "activation", self.activation)
        gate = activation_of(self, "recurrent_activation", self.recurrent_activation)

        def step(x: jax.Array, states: States) -> States:
            h, c = states
            i, f, g, o = jnp.split(x + jnp.matmul(kept(h), recurrent), 4, axis=-1)
            c = gate(f) * c + gate(i) * activation(g)
            return gate(o) * activation(c), c

        return run(self, step, projected(self, x, kernel, bias, training), initial_state, mask, 2)

    def _first_bias(self) -> Any:
        initializer = jnp.zeros if self.bias_initializer is None else self.bias_initializer
        if not self.unit_forget_bias or not callable(initializer):
            return initializer
        return functools.partial(_with_open_memory, initializer, self.units)


def _with_open_memory(initializer: Any, units: int, key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    """What another initializer makes, with ones for the forget gate."""
    return initial_value(initializer, shape, dtype, key).at[units : 2 * units].set(1)
