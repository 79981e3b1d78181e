"""What the first step and the imports cost, in fresh processes."""

from ..measure import Finding, Pace, by_turns, child, ratio

WORKS_STARTED = ("mlp", "lm")


def first_step(pace: Pace) -> list[Finding]:
    found = []
    for work in WORKS_STARTED:
        acts = {
            runner: lambda runner=runner, work=work: child("first", runner, work, "1") for runner in ("elegy", "loop")
        }
        what = f"from the first import to the end of the first step ({work}), against the hand-written loop"
        found.append(Finding(what, ratio(by_turns(acts, pace.repeats), "elegy", "loop"), 1.3))
    return found


def import_time(pace: Pace) -> list[Finding]:
    acts = {"elegy": lambda: child("import", "elegy"), "jax": lambda: child("import", "jax", "optax")}
    times = by_turns(acts, pace.repeats)
    more = [a - b for a, b in zip(times["elegy"], times["jax"], strict=True)]
    return [Finding("`import elegy`, over `import jax` and `import optax`", more, 0.12, unit="s")]


def cold(
    works: list[str], runners: list[str], steps: dict[str, int], repeats: int
) -> dict[str, dict[str, list[float]]]:
    """By work and runner the seconds from the first import to the end of the first epoch."""
    return {
        work: by_turns(
            {runner: lambda r=runner, w=work: child("first", r, w, str(steps[w])) for runner in runners}, repeats
        )
        for work in works
    }
