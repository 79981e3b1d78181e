"""What recurrent layers share: their options, their parameters, and the loop over time."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from .._errors import short_type
from ..initializers import Orthogonal, VarianceScaling
from ..module import is_training, next_rng_key
from ._activations import activation_of
from ._attention import RATE
from ._requirements import (
    compute_dtype,
    declared,
    initializer_of,
    number_within,
    positive,
    real_array,
    require_floating,
    require_not_given,
    switch,
    who,
)
from ._sequences import step_mask
from ._spelling import refuse_unknown

States = tuple[jax.Array, ...]
Step = Callable[[jax.Array, States], States]
"""One step of time: projected inputs `(batch, gates * units)` and states `(batch, units)` to new states."""

_SWITCHES = ("use_bias", "return_sequences", "return_state", "go_backwards", "stateful", "unroll")
_ELSEWHERE = {
    "b_init": "bias_initializer",
    "features": "units",
    "hidden_size": "units",
    "output_size": "units",
    "w_init": "kernel_initializer",
    "with_bias": "use_bias",
}


def check_options(layer: Any, unknown: Mapping[str, Any]) -> None:
    """Refuse wrong options of a recurrent layer, which it keeps under the names of its constructor.

    Args:
        layer: a recurrent layer.
        unknown: further arguments that it was given.

    Raises:
        TypeError: an argument does not exist.
        ValueError: an option is out of range, or not offered.
    """
    refuse_unknown(layer, unknown, _ELSEWHERE)
    require_floating(layer)
    positive(layer, "units", layer.units)
    activation_of(layer, "activation", layer.activation)
    for argument in _SWITCHES:
        switch(layer, argument, getattr(layer, argument))
    for argument in ("kernel_initializer", "recurrent_initializer", "bias_initializer"):
        initializer_of(layer, argument, getattr(layer, argument))
    for argument in ("dropout", "recurrent_dropout"):
        number_within(layer, argument, getattr(layer, argument), 0, 1, RATE)
    if not layer.use_bias:
        require_not_given(layer, "bias_initializer", layer.bias_initializer, "use_bias")
    if layer.stateful:
        raise ValueError(
            f"{who(layer)} was given stateful=True. A recurrent layer keeps nothing from one call to the next, since "
            "batches are shuffled and differ in size. Write `return_state=True`, and give what it returns as "
            "`initial_state` of the next call."
        )


def weights(
    layer: Any, features: int, gates: int, bias_shape: tuple[int, ...], bias_initializer: Any
) -> tuple[jax.Array, jax.Array, jax.Array | None]:
    """`kernel`, `recurrent_kernel` and `bias` (or None) in the dtype that the layer computes in.

    Args:
        layer: a recurrent layer.
        features: how many features an input has.
        gates: how many times `units` outputs the kernels have.
        bias_shape: the shape of `bias`.
        bias_initializer: first value of `bias`.
    """
    outputs = gates * layer.units
    glorot, orthogonal = VarianceScaling(1.0, "fan_avg", "uniform"), Orthogonal()
    kernel_initializer = glorot if layer.kernel_initializer is None else layer.kernel_initializer
    recurrent_initializer = orthogonal if layer.recurrent_initializer is None else layer.recurrent_initializer
    kernel = declared(layer, "kernel", (features, outputs), layer.param_dtype, kernel_initializer)
    recurrent = declared(layer, "recurrent_kernel", (layer.units, outputs), layer.param_dtype, recurrent_initializer)
    dtype = compute_dtype(layer, kernel)
    if not layer.use_bias:
        return kernel.astype(dtype), recurrent.astype(dtype), None
    bias = declared(layer, "bias", bias_shape, layer.param_dtype, bias_initializer)
    return kernel.astype(dtype), recurrent.astype(dtype), bias.astype(dtype)


def projected(
    layer: Any, sequences: jax.Array, kernel: jax.Array, bias: jax.Array | None, training: bool | None
) -> jax.Array:
    """The part of all steps that does not wait for the one before: `(batch, time, gates * units)`."""
    x = sequences.astype(kernel.dtype)
    batch, _, features = x.shape
    x = keeper(layer.dropout, (batch, 1, features), kernel.dtype, training)(x)
    return plus(jnp.matmul(x, kernel), bias)


def plus(x: jax.Array, bias: jax.Array | None) -> jax.Array:
    """The sum with a bias over the last axis, if there is one."""
    return x if bias is None else x + jnp.broadcast_to(bias, x.shape)


def keeper(rate: float, shape: tuple[int, ...], dtype: Any, training: bool | None) -> Callable[[jax.Array], jax.Array]:
    """Dropout that forgets the same values in every step of time, to be called inside the loop over it.

    Args:
        rate: probability that a value is dropped.
        shape: the shape of what is kept or dropped; it broadcasts to the values.
        dtype: the dtype of the values.
        training: whether values are dropped; None for whether the surrounding call trains.
    """
    if rate == 0 or not (is_training() if training is None else training):
        return lambda x: x
    kept = jax.random.bernoulli(next_rng_key(), 1 - rate, shape)
    factor = jnp.where(kept, jnp.asarray(1 / (1 - rate), dtype), jnp.zeros((), dtype))
    return lambda x: x * jnp.broadcast_to(factor, x.shape)


def run(layer: Any, step: Step, inputs: jax.Array, initial_state: Any, mask: Any, count: int) -> Any:
    """Go through time, and return what the layer's options ask for.

    A masked step leaves the states as they are, so its output is the one before.

    Args:
        layer: a recurrent layer.
        step: one step; the first state is the output.
        inputs: projected inputs, `(batch, time, gates * units)`.
        initial_state: `count` states, one by itself if there is only one, or None for zeros.
        mask: `(batch, time)`, True for the steps that are there; or None.
        count: how many states there are.
    """
    start = _first_states(layer, initial_state, inputs, count)
    there = None if mask is None else step_mask(layer, mask, inputs)
    if layer.go_backwards:
        inputs, there = jax.tree.map(lambda x: jnp.flip(x, axis=1), (inputs, there))

    def body(states: States, now: tuple[jax.Array, jax.Array | None]) -> tuple[States, jax.Array | None]:
        x, there = now
        new = step(x, states)
        if there is not None:
            is_there = jnp.broadcast_to(there[:, None], new[0].shape)
            new = tuple(jnp.where(is_there, after, before) for after, before in zip(new, states, strict=True))
        return new, new[0] if layer.return_sequences else None

    by_time = jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), (inputs, there))
    states, outputs = lax.scan(body, start, by_time, unroll=layer.unroll)
    outputs = states[0] if outputs is None else jnp.swapaxes(outputs, 0, 1)
    return (outputs, *states) if layer.return_state else outputs


def _first_states(layer: Any, initial_state: Any, inputs: jax.Array, count: int) -> States:
    shape = (len(inputs), layer.units)
    if initial_state is None:
        return (jnp.zeros(shape, inputs.dtype),) * count
    given = tuple(initial_state) if isinstance(initial_state, (list, tuple)) else (initial_state,)
    states = tuple(real_array(layer, state) for state in given)
    if len(states) != count or any(state.shape != shape for state in states):
        raise ValueError(
            f"{who(layer)} was given initial_state={[short_type(state) for state in states]}. Its states are {count} "
            f"of shape {shape}, (batch, units). Give such, or leave it out for zeros."
        )
    return tuple(state.astype(inputs.dtype) for state in states)
