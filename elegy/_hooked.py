"""What modules add by hooks, as terms of the objective: losses for the total, metrics that are averaged."""

from collections.abc import Callable, Container, Mapping
from typing import Any

import jax

from ._logs import Logs, Ratio, Totals
from ._names import unique_name
from ._reduce import Reduction, reduce_values, values_of
from .metrics._hook_state import total_value
from .module import Extras

# No name of a metric: where the sums of what `add_metric` was given stand among the metrics' states.
ADDED = "add_metric()"

Axes = Callable[[str, str, Any], tuple[int, ...]]
"""Tells for a consumer's key, a part and its value which axes are the batch's."""


def added_values(extras: Extras) -> dict[str, dict[str, Any]]:
    """For the probe of batch axes: by hook and name the values."""
    losses = {f"{name}#{n}": term for name, terms in extras.losses.items() for n, term in enumerate(terms)}
    groups = {"add_loss()": losses, ADDED: extras.metrics}
    return {hook: {name: values_of(v) for name, v in found.items()} for hook, found in groups.items() if found}


def added_losses(
    extras: Extras, *, samples: int, axes: Axes, sample_weight: Any, taken: Container[str]
) -> dict[str, Ratio]:
    """By log name the exact quotients of what `add_loss` was given; those of equal names are added.

    Args:
        extras: what the hooks added.
        samples: how many samples the batch has.
        axes: tells which axes of a value are the batch's.
        sample_weight: multiplies values that have a batch axis.
        taken: log names that losses and metrics have; a clash gets `_1`.
    """
    ratios: dict[str, Ratio] = {}
    for name, terms in extras.losses.items():
        quotients = [
            reduce_values(
                term,
                samples=samples,
                batch_axes=axes("add_loss()", f"{name}#{number}", values_of(term)),
                sample_weight=sample_weight,
                who=f"`add_loss` of `{name}`",
            )
            for number, term in enumerate(terms)
        ]
        ratios[unique_name(name, taken)] = sum(quotients, start=Ratio.of(()))
    return ratios


def added_metrics(extras: Extras, *, samples: int, axes: Axes, sample_weight: Any) -> Logs:
    """By name the quotients whose sums over a pass are the means of what `add_metric` was given."""
    return Logs(
        {
            name: reduce_values(
                value,
                samples=samples,
                batch_axes=axes(ADDED, name, values_of(value)),
                sample_weight=sample_weight,
                reduction=Reduction.MEAN_WITH_SAMPLE_WEIGHT,
                who=f"`add_metric` of `{name}`",
            )
            for name, value in extras.metrics.items()
        }
    )


def empty_added(extras: Extras) -> dict[str, Totals]:
    """The sums before the first batch, among the metrics' states; nothing if no module calls `add_metric`."""
    if not extras.metrics:
        return {}
    ratios = jax.eval_shape(
        lambda extras: added_metrics(extras, samples=1, axes=lambda *value: (), sample_weight=None), extras
    )
    return {ADDED: Totals.empty(ratios)}


def added_results(states: Mapping[str, Any], taken: Container[str]) -> dict[str, jax.Array]:
    """By log name the running means of what `add_metric` was given; a name that is taken gets `_1`."""
    totals = states[ADDED].logs() if ADDED in states else {}
    return {unique_name(name, taken): total_value(total) for name, total in totals.items()}
