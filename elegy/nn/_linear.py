"""The fully connected layer."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from ..initializers import TruncatedNormal
from ..module import Module
from ._requirements import (
    compute_dtype,
    declared,
    initializer_of,
    positive,
    real_array,
    require_floating,
    require_not_given,
    require_rank,
    switch,
    who,
)


class Linear(Module):
    """Every output sees every input: `x @ w + b` over the last axis.

    Parameters: `w` of shape `(inputs, output_size)`, `b` of shape `(output_size,)`.

    Args:
        output_size: number of outputs; `>= 1`.
        with_bias: whether `b` is added.
        w_init: initializer of `w`, or a value; by default a truncated normal of standard deviation `1 / sqrt(inputs)`.
        b_init: initializer of `b`, or a value; zeros by default.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters, which
            `Model(precision=...)` lowers while a step runs.
        param_dtype: the dtype that its parameters are kept in.

    Raises:
        ValueError: `output_size` is no positive whole number; the input is a scalar or has no features.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> linear = elegy.nn.Linear(3)
        >>> linear(jnp.ones((2, 4))).shape, linear.w.shape, linear.b.shape
        ((2, 3), (4, 3), (3,))
    """

    def __init__(
        self,
        output_size: int,
        with_bias: bool = True,
        w_init: Any = None,
        b_init: Any = None,
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.param_dtype = param_dtype
        require_floating(self)
        self.output_size = positive(self, "output_size", output_size)
        self.with_bias = switch(self, "with_bias", with_bias)
        self.w_init = initializer_of(self, "w_init", w_init)
        self.b_init = initializer_of(self, "b_init", b_init)
        if not with_bias:
            require_not_given(self, "b_init", b_init, "with_bias")

    def call(self, x: Any) -> jax.Array:
        """Apply the layer.

        Args:
            x: inputs, `(*d, inputs)`; integers are converted.

        Returns:
            Outputs, `(*d, output_size)`, in the dtype that the layer computes in.

        Raises:
            ValueError: there is no last axis, or it is empty.
        """
        x = real_array(self, x)
        require_rank(self, x, 1, "at least one axis, the last one for features")
        inputs = x.shape[-1]
        if inputs == 0:
            raise ValueError(
                f"{who(self)} was called with the shape {x.shape}. Its last axis, the features, is empty. "
                "Give inputs with at least one feature."
            )
        w_init = TruncatedNormal(1 / math.sqrt(inputs)) if self.w_init is None else self.w_init
        w = declared(self, "w", (inputs, self.output_size), self.param_dtype, w_init)
        dtype = compute_dtype(self, w)
        y = jnp.matmul(x.astype(dtype), w.astype(dtype))
        if self.with_bias:
            b_init = jnp.zeros if self.b_init is None else self.b_init
            b = declared(self, "b", (self.output_size,), self.param_dtype, b_init)
            y = y + jnp.broadcast_to(b.astype(dtype), y.shape)
        return y
