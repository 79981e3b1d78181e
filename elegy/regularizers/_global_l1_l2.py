"""The L1 and the L2 penalty on the module's parameters, added."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._names import name_of
from .._reduce import Reduction
from ..losses._loss import Loss
from ..losses._operands import absolute
from ..losses._options import require_penalty
from ._penalized import Only, as_only, penalized, sum_over


class GlobalL1L2(Loss):
    """The L1 and the L2 penalty in one: pulls parameters of little use to 0 and keeps the others small.

    `l1 * sum(|p|) + l2 * sum(p²)` over every number `p` of the parameters declared trainable.
    It is logged and weighted like any loss, but has no values per sample, so `sample_weight` does not apply.

    Args:
        l1: the strength of the absolute values, at least 0.
        l2: the strength of the squares, at least 0.
        reduction: None; `"sum"` adds the values of all steps up in an epoch's logs, everything else averages them.
        weight: a factor on the value: a number, which may be changed while a fit runs, or a schedule of the step.
        only: a pattern of paths like `"**/w"`, or several; None: all parameters, biases included.
        name: how logs call it; `global_l1_l2` by default.

    Raises:
        ValueError: `l1` or `l2` is negative or not finite, or `only` is no pattern.

    Example:
        >>> parameters = {"linear": {"w": jnp.array([[1.0, -2.0]]), "b": jnp.array([2.0])}}
        >>> float(GlobalL1L2(l1=0.5, l2=1.0)(parameters=parameters))
        11.5
    """

    batch_axis: ClassVar[int | None] = None

    def __init__(
        self,
        l1: float = 0.0,
        l2: float = 0.0,
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        *,
        only: Only = None,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, weight, name=name)
        self.l1 = require_penalty(f"loss `{name_of(self)}`", "l1", l1)
        self.l2 = require_penalty(f"loss `{name_of(self)}`", "l2", l2)
        self.only = as_only(f"loss `{name_of(self)}`", only)

    def call(self, parameters: Any) -> jax.Array:
        """The penalty before `weight`.

        Args:
            parameters: the module's parameters, nested dicts of arrays.

        Returns:
            A scalar.

        Raises:
            ValueError: a pattern of `only` names no parameter.
        """
        leaves = penalized(f"loss `{name_of(self)}`", parameters, self.only)
        return self.l1 * sum_over(absolute, leaves) + self.l2 * sum_over(jnp.square, leaves)
