"""The L1 penalty on the module's parameters."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax

from .._names import name_of
from .._reduce import Reduction
from ..losses._loss import Loss
from ..losses._operands import absolute
from ..losses._options import require_penalty
from ._penalized import Only, as_only, penalized, sum_over


class GlobalL1(Loss):
    """A penalty on the size of parameters that pulls those of little use to 0.

    `l * sum(|p|)` over every number `p` of the parameters declared trainable.
    It is logged and weighted like any loss, but has no values per sample, so `sample_weight` does not apply.

    Args:
        l: the strength, at least 0.
        reduction: None; `"sum"` adds the values of all steps up in an epoch's logs, everything else averages them.
        weight: a factor on the value: a number, which may be changed while a fit runs, or a schedule of the step.
        only: a pattern of paths like `"**/w"`, or several; None: all parameters, biases included.
        name: how logs call it; `l1_regularization` by default.

    Raises:
        ValueError: `l` is negative or not finite, or `only` is no pattern.

    Example:
        >>> import jax.numpy as jnp
        >>> parameters = {"linear": {"w": jnp.array([[1.0, -2.0]]), "b": jnp.array([2.0])}}
        >>> float(GlobalL1(l=0.5)(parameters=parameters)), float(GlobalL1(l=0.5, only="**/w")(parameters=parameters))
        (2.5, 1.5)
    """

    batch_axis: ClassVar[int | None] = None

    def __init__(
        self,
        l: float = 0.01,  # noqa: E741 - what the literature calls it
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        *,
        only: Only = None,
        name: str | None = "l1_regularization",
    ) -> None:
        super().__init__(reduction, weight, name=name)
        self.l = require_penalty(f"loss `{name_of(self)}`", "l", l)
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
        return self.l * sum_over(absolute, leaves)
