"""Compiler options that make programs on CPU faster, each used only where the compiler takes it."""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

_PREFIX = "LIBRARY_FUSION_TYPE_"
_CANDIDATES: dict[str, Any] = {
    # All that XLA gives to its YNN kernels by default but convolutions, which use one core there.
    "xla_cpu_experimental_ynn_fusion_type": f"{_PREFIX}INDIVIDUAL_DOT,{_PREFIX}REDUCE",
    # oneDNN's matrix products, in jaxlib 0.12 and later; before, both are taken and change nothing.
    "xla_cpu_experimental_onednn_custom_call": True,
    "xla_cpu_use_xnnpack": False,
}


@functools.lru_cache(maxsize=1)
def cpu_options() -> Mapping[str, Any]:
    """The options that this CPU compiler takes; it is asked once in each process, with a program of one number."""
    if _is_taken(_CANDIDATES):
        return _CANDIDATES
    return {name: value for name, value in _CANDIDATES.items() if _is_taken({name: value})}


def _is_taken(options: Mapping[str, Any]) -> bool:
    program = jax.jit(jnp.negative).trace(jax.ShapeDtypeStruct((), "float32")).lower()
    try:
        program.compile(dict(options))
    except (jax.errors.JaxRuntimeError, ValueError):  # unknown to this jaxlib, or not built for this machine
        return False
    return True
