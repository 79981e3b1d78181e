"""The gated recurrent unit."""

from typing import Any

import jax
import jax.numpy as jnp

from ..module import Module
from ._activations import activation_of
from ._recurrence import States, check_options, keeper, plus, projected, run, weights
from ._requirements import switch
from ._sequences import sequences_of


class GRU(Module):
    """Reads a sequence step by step; gates decide what of the last output stays. Smaller than an LSTM, often as good.

    With `z, r` and `g` from `x @ kernel` and `h @ recurrent_kernel`: `h = σ(z) h + (1 - σ(z)) tanh(g)`, where the part
    of g that comes from h is multiplied by `σ(r)`. Parameters: `kernel` of shape `(features, 3 * units)`,
    `recurrent_kernel` `(units, 3 * units)`, `bias` `(2, 3 * units)` with `reset_after`, else `(3 * units,)`.

    Args:
        units: number of outputs; `>= 1`.
        activation: of the candidate; a function, a name such as `"tanh"`, or None.
        recurrent_activation: of the gates, likewise.
        use_bias: whether `bias` is added.
        kernel_initializer: initializer of `kernel`; Glorot's uniform one by default.
        recurrent_initializer: initializer of `recurrent_kernel`; orthogonal by default.
        bias_initializer: initializer of `bias`; zeros by default.
        dropout: probability that an input is dropped while training, the same one in all steps; `0 <= dropout < 1`.
        recurrent_dropout: the same for the output of the step before.
        return_sequences: whether the outputs of all steps are returned, or the last one.
        return_state: whether the states after the last step are returned too.
        go_backwards: whether it begins with the last step; outputs are in the order in which they were computed.
        stateful: not offered; `return_state` and `initial_state` do it.
        unroll: whether steps are compiled one after the other: faster for short sequences, slow to compile.
        reset_after: whether `σ(r)` multiplies `h @ recurrent_kernel`, as in cuDNN, or h before that product.
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
        >>> outputs, state = elegy.nn.GRU(4, return_state=True)(jnp.ones((2, 5, 3)))
        >>> outputs.shape, state.shape
        ((2, 4), (2, 4))

    Reference:
        Cho et al., Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation,
        arXiv:1406.1078.
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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
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
        self.reset_after = switch(self, "reset_after", reset_after)
        activation_of(self, "recurrent_activation", recurrent_activation)

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        """Apply the layer.

        Args:
            sequences: inputs, `(batch, time, features)`; integers are converted.
            initial_state: the output before the first step, `(batch, units)`; zeros by default.
            mask: `(batch, time)`, True for the steps that are there; others leave the states as they are and repeat the
                output before.
            training: whether values are dropped; by default whether the surrounding call trains.

        Returns:
            `(batch, units)`, or `(batch, time, units)` with `return_sequences`; with `return_state` a tuple of that and
            the last output.
        """
        x, size = sequences_of(self, sequences), 3 * self.units
        bias_initializer = jnp.zeros if self.bias_initializer is None else self.bias_initializer
        bias_shape = (2, size) if self.reset_after else (size,)
        kernel, recurrent, bias = weights(self, x.shape[-1], 3, bias_shape, bias_initializer)
        bias, inner_bias = (bias[0], bias[1]) if bias is not None and self.reset_after else (bias, None)
        kept = keeper(self.recurrent_dropout, (len(x), self.units), kernel.dtype, training)
        activation = activation_of(self, "activation", self.activation)
        gate = activation_of(self, "recurrent_activation", self.recurrent_activation)
        cut = (self.units, 2 * self.units)

        def reset_after(x: jax.Array, states: States) -> States:
            xz, xr, xg = jnp.split(x, cut, axis=-1)
            hz, hr, hg = jnp.split(plus(jnp.matmul(kept(states[0]), recurrent), inner_bias), cut, axis=-1)
            return mixed(gate(xz + hz), states[0], activation(xg + gate(xr + hr) * hg))

        def reset_before(x: jax.Array, states: States) -> States:
            xz, xr, xg = jnp.split(x, cut, axis=-1)
            h = kept(states[0])
            hz, hr = jnp.split(jnp.matmul(h, recurrent[:, : cut[1]]), 2, axis=-1)
            hg = jnp.matmul(gate(xr + hr) * h, recurrent[:, cut[1] :])
            return mixed(gate(xz + hz), states[0], activation(xg + hg))

        def mixed(z: jax.Array, h: jax.Array, g: jax.Array) -> States:
            return (z * h + (1 - z) * g,)

        step = reset_after if self.reset_after else reset_before
        return run(self, step, projected(self, x, kernel, bias, training), initial_state, mask, 1)
