"""The words of the progress bar: durations, numbers, and the two looks of a line."""

from collections.abc import Mapping

WIDTH = 20


def bar_line(
    done: int, target: int | None, time: str, logs: Mapping[str, float], *, fill: str = "━"
) -> tuple[str, ...]:
    """The parts of `12/100 ━━━━ 3s 20ms/step - loss: 0.1234`: before the bar, its full part, its empty part, after it.

    Args:
        done: steps done.
        target: steps in all, None if unknown.
        time: what `time_of` made.
        logs: values to show.
        fill: one character that the bar is drawn with.
    """
    if target is None:
        return f"{done}/Unknown", "", "", f" {time}{log_text(logs)}"
    full = WIDTH if not target else min(WIDTH, WIDTH * done // target)
    return f"{done:>{len(str(target))}}/{target} ", fill * full, fill * (WIDTH - full), f" {time}{log_text(logs)}"


def log_text(logs: Mapping[str, float]) -> str:
    """` - loss: 0.1234 - accuracy: 0.9800`."""
    return "".join(f" - {name}: {number_text(value)}" for name, value in logs.items())


def number_text(value: float) -> str:
    """Four digits after the point, with an exponent where these would show nothing.

    Example:
        >>> number_text(0.98), number_text(0.00012), number_text(0.0)
        ('0.9800', '1.2000e-04', '0.0000')
    """
    small = value != 0 and abs(value) <= 1e-3
    large = abs(value) >= 1e7
    return f"{value:.4e}" if small or large else f"{value:.4f}"


def duration_text(seconds: float) -> str:
    """Whole seconds, with minutes and hours where there are any.

    Example:
        >>> duration_text(3.2), duration_text(83), duration_text(3723)
        ('3s', '1:23', '1:02:03')
    """
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def step_text(seconds: float) -> str:
    """The time of one step in the unit that fits.

    Example:
        >>> step_text(2.0), step_text(0.02), step_text(0.0000401)
        ('2s/step', '20ms/step', '40us/step')
    """
    if seconds >= 1:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"
