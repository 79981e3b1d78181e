"""Metrics of other libraries: any function of all labels and outputs of a pass, outside of the compiled program."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from .._inject import Offer, arguments_for, wants
from .._names import name_of
from .._on import On, index_offer
from ._metric import Better, Metric


class OnHost(Metric):
    """Any function of all rows of a pass, like those of scikit-learn; called once, at the end of the pass.

    Labels and outputs are collected in the memory of the host while the pass runs, and the function sees them as NumPy
    arrays. The result is in the logs of an epoch, of its validation and of `evaluate`; batch logs do not have it, nor
    do the training logs of `Model(accumulate=...)`, whose steps have no outputs of one batch.

    A function with an argument `y_pred` is given what it names: `y_true`, `y_pred`, `x`, or a column of a named batch.
    Any other, like `roc_auc_score(y_true, y_score)`, is given labels and outputs by position. Both get `sample_weight`
    if they have such an argument and there are weights.

    Args:
        function: `function(y_true, y_pred, ...)`; returns a number, an array, or a dict of these.
        on: which part of `y_true` and `y_pred` this metric sees.
        better: "higher" or "lower" is an improvement; None: neither, and `EarlyStopping` asks for a mode.
        name: how logs call it; the function's name by default.

    Raises:
        ValueError: `better` is something else.

    Example:
        >>> import sklearn.metrics
        >>> area = OnHost(sklearn.metrics.roc_auc_score, better="higher")
        >>> area.name, area(y_true=np.array([0, 0, 1, 1]), y_pred=np.array([0.1, 0.4, 0.35, 0.8]))
        ('roc_auc_score', 0.75)
    """

    def __init__(
        self, function: Callable[..., Any], on: On = None, *, better: Better = None, name: str | None = None
    ) -> None:
        super().__init__(on, name=name_of(function) if name is None else name)
        self.function = function
        if better not in ("higher", "lower", None):
            raise ValueError(
                f"The metric `{self.name}` was given `better={better!r}`. It says which direction is an improvement. "
                'Give "higher", "lower" or None.'
            )
        self.better = better

    @property
    def injected(self) -> Callable[..., Any]:
        """A function whose argument names are those of what is collected."""

        def collected(**columns: Any) -> dict[str, Any]:
            return columns

        place = inspect.Parameter.KEYWORD_ONLY
        parameters = [inspect.Parameter(name, place) for name in self._required]
        if "sample_weight" in wants(self.function).names and "sample_weight" not in self._required:
            parameters.append(inspect.Parameter("sample_weight", place, default=None))
        collected.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
        return collected

    @property
    def _required(self) -> tuple[str, ...]:
        asked = wants(self.function)
        return asked.required if "y_pred" in asked.names else ("y_true", "y_pred")

    def empty(self) -> tuple[()]:
        """The state in the compiled program: none."""
        return ()

    def update(self, state: tuple[()]) -> tuple[()]:
        """The state after one more batch: none, since rows are collected on the host."""
        return state

    def merge(self, a: tuple[()], b: tuple[()]) -> tuple[()]:
        """The state of two sets of batches together: none."""
        del b
        return a

    def compute(self, state: tuple[()]) -> dict[str, Any]:
        """No value while the pass runs: nothing in batch logs."""
        del state
        return {}

    def collected(self, offer: Mapping[str, Any], *, who: str, where: str = "this step") -> dict[str, Any]:
        """What the function will need of one batch, as NumPy arrays; weights that are None are left out.

        Args:
            offer: values by name, through `bind` and `on=`.
            who: how errors call the metric.
            where: what the offer belongs to.

        Raises:
            InjectionError: something is not on offer.
        """
        columns = arguments_for(self.injected, offer, who=who, where=where)
        return {name: jax.tree.map(_on_host, column) for name, column in columns.items() if column is not None}

    def value(self, columns: Mapping[str, Any]) -> Any:
        """What the function says about all rows.

        Args:
            columns: by name what was collected, in one array each.
        """
        if "y_pred" in wants(self.function).names:
            return self.function(**columns)
        weight = {name: columns[name] for name in ("sample_weight",) if name in columns}
        return self.function(columns["y_true"], columns["y_pred"], **weight)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Collect outside a Model, and return the value of all rows so far.

        Args:
            *args: what is collected, by position; they win over keywords of the same name.
            **named: injected values by name; what the metric does not name is ignored.
        """
        names = wants(self.injected).names
        named = {"sample_weight": None, **named, **dict(zip(names, args, strict=False))}
        who = f"metric `{name_of(self)}`"
        batch = self.collected(index_offer(self.on, Offer(named), who=who), who=who, where="this call")
        batches = self.__dict__.setdefault("_own_state", [])
        batches.append(batch)
        return self.value(jax.tree.map(lambda *rows: np.concatenate(rows), *batches))


def _on_host(column: Any) -> np.ndarray:
    """An array that other libraries know: half precisions as float32."""
    array = np.asarray(column)
    is_half = array.dtype == np.float16 or array.dtype.kind == "V"  # NumPy itself has no bfloat16
    return array.astype(np.float32) if is_half else array
