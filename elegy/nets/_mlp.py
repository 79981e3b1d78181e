"""The multilayer perceptron."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from ..module import Module
from ..nn import Linear
from ..nn._activations import activation_of
from ..nn._spelling import refuse_unknown
from ._counts import counts

_ELSEWHERE = {"features_out": "features", "hidden_sizes": "features", "output_sizes": "features", "units": "features"}


class MLP(Module):
    """Dense layers with an activation between them, for vectors of numbers such as the columns of a table.

    Args:
        features: number of outputs of each layer; the last one is that of the network, which has no activation.
        activation: between the layers; a function or a name such as `"gelu"`.
        with_bias: whether the layers have a bias.
        w_init: initializer of the layers' `w`; that of `elegy.nn.Linear` by default.
        b_init: initializer of the layers' `b`; zeros by default.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.
        **unknown: names of other libraries get an error that says what to write.

    Raises:
        ValueError: `features` is empty, or has a number below 1; the activation is unknown.
        TypeError: an argument does not exist.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> mlp = elegy.nets.MLP([16, 3])
        >>> mlp(jnp.ones((2, 4))).shape, list(mlp.parameters)
        ((2, 3), ['linear', 'linear_1'])
    """

    def __init__(
        self,
        features: Sequence[int],
        activation: Any = jax.nn.relu,
        with_bias: bool = True,
        w_init: Any = None,
        b_init: Any = None,
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        **unknown: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        refuse_unknown(self, unknown, _ELSEWHERE)
        self.features = counts(self, "features", features)
        self.activation = activation
        activation_of(self, "activation", activation)
        self.with_bias, self.w_init, self.b_init = with_bias, w_init, b_init
        self.param_dtype = param_dtype
        Linear(1, with_bias, w_init, b_init, dtype=dtype, param_dtype=param_dtype)  # refuses what layers would

    def call(self, x: Any) -> jax.Array:
        """Apply the network.

        Args:
            x: inputs, `(*d, inputs)`; integers are converted.

        Returns:
            Outputs, `(*d, features[-1])`.
        """
        activation = activation_of(self, "activation", self.activation)
        for number, size in enumerate(self.features):
            x = x if number == 0 else activation(x)
            x = Linear(size, self.with_bias, self.w_init, self.b_init, dtype=self.dtype, param_dtype=self.param_dtype)(
                x
            )
        return x
