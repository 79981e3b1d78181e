"""Convolutions in the one layout that XLA recognises on CPU, also inside loops."""

from collections.abc import Callable

import jax
from jax.extend.core import JaxprEqn

from ._layout import as_canonical, canonical_numbers, convolved, from_canonical, is_convolution
from ._pass import Uses, output_of


def canonical_convolutions(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """A convolution in another layout becomes one in the canonical layout, with transposes around it.

    XLA does so by itself, but on CPU only outside of loops; inside, gradients of convolutions and channels-first ones
    run in scalar code, 3 to 50 times slower. The result has the same bits as a program without a loop.
    """
    del uses
    if not is_convolution(eqn):
        return None
    if eqn.params["dimension_numbers"] == canonical_numbers(output_of(eqn).ndim):
        return None
    return lambda lhs, rhs: from_canonical(convolved(*as_canonical(lhs, rhs, eqn), eqn), eqn)
