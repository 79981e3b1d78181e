"""What a fit was bound by, and the one setting that would help, in a line."""

from ._plan import Plan
from ._time_spent import TimeSpent

_WENT_TO = {"input": "waiting for data", "dispatch": "starting steps", "compute": "computing"}


def verdict(spent: TimeSpent, plan: Plan, *, is_stream: bool, steps_per_execution: int | None) -> str | None:
    """The line, like `compute-bound: 93% of the time went to computing; ...`; None if too little was measured.

    Args:
        spent: where the time went.
        plan: how the launches ran.
        is_stream: whether the data is none that lies in memory.
        steps_per_execution: as given to `fit`.
    """
    bound = spent.bound()
    if bound is None:
        return None
    if bound == "input":
        help_ = _for_input(plan, is_stream)
    elif bound == "dispatch":
        help_ = _for_dispatch(plan, steps_per_execution)
    else:
        help_ = "a larger `batch_size=` may use the device better"
    return f"{bound}-bound: {spent.share(bound):.0%} of the time went to {_WENT_TO[bound]}; {help_}"


def _for_input(plan: Plan, is_stream: bool) -> str:
    if is_stream:
        return "give arrays, or a loader that reads ahead"
    if plan.is_asked_for:
        return f'leave out `execution="{plan.kind}"`'
    if plan.kind == "single":
        return f"do without what needs single steps: {plan.why}"
    return "give smaller columns, such as uint8 instead of float32"


def _for_dispatch(plan: Plan, steps_per_execution: int | None) -> str:
    if plan.kind == "single":
        asked = plan.is_asked_for
        return 'leave out `execution="single"`' if asked else f"do without what needs single steps: {plan.why}"
    if steps_per_execution is not None:
        return f"leave out `steps_per_execution={steps_per_execution}`"
    return "give a larger `batch_size=`"
