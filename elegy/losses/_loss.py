"""`Loss`: what a loss is, and how it reads its place (`on`), its weight and its reduction."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._inject import OFFERED, Offer, call_with, wants
from .._names import name_of
from .._on import On, index_offer
from .._reduce import Reduction, aligned_weight, as_reduction, is_masked_pair, reduce_values, split_mask


class Loss:
    """A loss: subclass it and write `call` with the names of what you need.

    `call` may ask for `x, y_true, y_pred, sample_weight, class_weight, training, parameters, states` and more (see
    `Model.wiring`), in any order. It returns values per sample (best: the batch axis first), a scalar, a pair
    `(values, mask)`, or a dict of these: then each part is reduced, weighted and logged by itself.
    The base class multiplies by `sample_weight`, reduces, and multiplies by `weight`.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number, which may be changed while a fit runs, or an Optax schedule
            (a function of the step). None means 1.
        on: which part of `y_true`, `y_pred` (and of weights given per output) this loss sees: a key, an index, or a
            sequence of these.
        name: how logs call it; by default the class name in snake case.

    Raises:
        ValueError: the reduction does not exist.

    Example:
        >>> class MSE(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return jnp.mean(jnp.square(y_true - y_pred), axis=-1)
        >>> float(MSE(weight=2.0)(y_true=jnp.zeros((2, 1)), y_pred=jnp.ones((2, 1))))
        2.0
    """

    # Class attributes, so that a subclass may leave out `super().__init__()`.
    reduction: Reduction = Reduction.SUM_OVER_BATCH_SIZE
    weight: Any = 1.0
    on: On = None
    name: str | None = None
    live: ClassVar[tuple[str, ...]] = ("weight",)
    """Attributes that may be changed while a fit runs, without compiling anew: numbers, read anew at each launch."""

    def __init__(
        self,
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        on: On = None,
        *,
        name: str | None = None,
    ) -> None:
        self.reduction = as_reduction(reduction)
        self.weight = 1.0 if weight is None else weight
        self.on = on
        self.name = name

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The values of the loss; written by subclasses.

        Raises:
            TypeError: a subclass has not written it.
        """
        del args, kwargs
        raise TypeError(
            f"The loss `{name_of(self)}` was called. {type(self).__name__} has no `call`. "
            "Write `def call(self, y_true, y_pred): ...` in the class."
        )

    def factor(self, step: Any) -> Any:
        """The weight at a training step: the number, or what the schedule says.

        Args:
            step: int32 scalar, the steps done.
        """
        return self.weight(step) if callable(self.weight) else self.weight

    def add_parameter(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Refused: a loss holds no arrays.

        Raises:
            ValueError: always.
        """
        del args, kwargs
        raise ValueError(
            f"The loss `{name_of(self)}` adds the parameter `{name}`. A loss keeps no arrays, trainable or not. "
            "Put what is learned into the module, and read it through `parameters`."
        )

    @property
    def injected(self) -> Callable[..., Any]:
        """The function whose argument names are filled."""
        return self.call

    def __call__(self, *args: Any, **named: Any) -> Any:
        """The reduced value outside a Model, or a dict of reduced parts.

        Args:
            *args: arguments of `call` by position; they win over keywords of the same name.
            **named: injected values by name; what `call` does not name is ignored, `sample_weight` is used by the
                base class.

        Returns:
            A scalar times `weight`; for `Reduction.NONE` the weighted values. Leading axis = batch.
        """
        named.update(zip(wants(self.call).positional, args, strict=False))
        who = f"loss `{name_of(self)}`"
        offer = Offer({**dict.fromkeys(_OPTIONAL), **named})
        value = call_with(self.call, index_offer(self.on, offer, who=who), who=who, where="this call")
        weight = index_offer(self.on, offer, who=who)["sample_weight"]
        return self._finish(value, weight, who)

    def _finish(self, value: Any, sample_weight: Any, who: str) -> Any:
        if isinstance(value, Mapping):
            return {name: self._finish(part, sample_weight, who) for name, part in value.items()}
        factor = self.factor(0)
        values, _ = split_mask(value if is_masked_pair(value) else jnp.asarray(value))
        axes = (0,) if values.ndim else ()
        if self.reduction is Reduction.NONE and values.ndim:
            return self._weighted(value, sample_weight, axes, who) * factor
        ratio = reduce_values(
            value,
            samples=values.shape[0] if values.ndim else 1,
            batch_axes=axes,
            sample_weight=sample_weight,
            reduction=self.reduction,
            who=who,
        )
        return ratio.value * factor

    def _weighted(self, value: Any, sample_weight: Any, axes: tuple[int, ...], who: str) -> jax.Array:
        values, mask = split_mask(value)
        if sample_weight is not None:
            values = values * aligned_weight(sample_weight, values, axes, who)
        return values if mask is None else values * mask


_OPTIONAL = tuple(name for name in OFFERED if name in ("sample_weight", "class_weight"))
