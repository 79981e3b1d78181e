"""The progress bar of `fit`, `evaluate` and `predict`."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ._callback import Callback
from ._progress_line import Progress, bar_line, text_line
from ._screen import Screen, is_terminal, open_screen

_SECONDS_BETWEEN_REDRAWS = 0.1


def resolve_verbose(verbose: Any) -> int:
    """How much to show: 0 nothing, 1 a bar, 2 one line an epoch; "auto" is 1 on a terminal and else 2.

    Args:
        verbose: 0, 1, 2 or "auto".

    Raises:
        ValueError: it is something else.

    Example:
        >>> resolve_verbose(2)
        2
    """
    if isinstance(verbose, str) and verbose == "auto":
        return 1 if is_terminal() else 2
    if not isinstance(verbose, (int, np.integer)) or verbose not in (0, 1, 2):
        raise ValueError(
            f'`verbose={verbose!r}` was given. It is 0 (silent), 1 (a bar), 2 (one line an epoch) or "auto". '
            "Use one of these."
        )
    return int(verbose)


class ProgressBar(Callback):
    """Shows how far a fit, an evaluation or a prediction is, with the newest values that have already arrived.

    It never waits for the device while steps run: the loop calls `on_launch_end` after each launch, which redraws at
    most 10 times a second, from the thread that trains. At the end of an epoch the line is kept, with exact values.
    On a pipe or in a file only these final lines are written, without control codes.

    Args:
        verbose: 1 is a bar, 2 one line an epoch, 0 nothing; "auto" is 1 on a terminal and else 2.
        console: a `rich.console.Console` to draw on; None is the standard output.
        clock: tells the time in seconds.

    Example:
        >>> bar = ProgressBar(2)
        >>> bar.set_params({"epochs": 5, "steps": 10, "verbose": 2})
        >>> bar.on_train_begin()
        >>> bar.on_epoch_begin(0)
        >>> bar.on_launch_end(10, dict)
        >>> bar.on_epoch_end(0, {"loss": 0.5})
        Epoch 1/5 - 10/10 - 0s - ...s/step - loss: 0.5000
    """

    def __init__(
        self, verbose: int | str = "auto", *, console: Any = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._verbose = resolve_verbose(verbose)
        self._console = console
        self._clock = clock
        self._screen: Screen | None = None
        self._is_training = False
        self._meter = _Meter(0.0, None)
        self._last_total: int | None = None
        self._drawn_at = 0.0
        self._shown: Mapping[str, float] = {}
        self._arriving: Any = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Begin a fit."""
        del logs
        self._is_training = True
        self._last_total = None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begin an epoch."""
        del logs
        self._begin(self._title(epoch) if self._verbose == 1 else "")

    def on_launch_end(self, steps_done: int, read_logs: Callable[[], Any], waiting: float | None = None) -> None:
        """Count the steps that were launched, and redraw if it is time to.

        Args:
            steps_done: steps of this epoch so far.
            read_logs: makes the logs of the epoch so far; they are shown once they have arrived.
            waiting: the share of the time that was spent waiting for data, where known.
        """
        now = self._clock()
        self._meter.count(steps_done, now)
        self._meter.waiting = waiting
        if self._is_due(now):
            self._look(read_logs)
            self._draw(now)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keep the line of the epoch."""
        self._finish(logs or {}, self._title(epoch) if self._verbose == 2 else "")

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """End a fit."""
        del logs
        self._is_training = False

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Begin an evaluation; within a fit, the clock of the training steps stops."""
        del logs
        if not self._is_training:
            self._begin()
        elif self._meter.stopped is None:
            self._meter.stopped = self._clock()

    def on_test_launch_end(self, steps_done: int) -> None:
        """Count the batches that were launched, and redraw if it is time to.

        Args:
            steps_done: batches of this pass so far.
        """
        now = self._clock()
        if not self._is_training:
            self._meter.count(steps_done, now)
        if self._is_due(now):
            self._draw(now, f"validating {steps_done}" if self._is_training else "")

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Keep the line of an evaluation; within a fit the epoch's own line shows the results."""
        if not self._is_training:
            self._finish(logs or {})

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Begin a prediction."""
        del logs
        self._begin()

    def on_predict_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Keep the line of a prediction."""
        self._finish(logs or {})

    def on_exception(self, exception: BaseException) -> None:
        """Leave the line as it is, so that the error is printed below it."""
        del exception
        self._is_training = False
        if self._screen is not None:
            self._screen.keep()

    def say(self, text: str) -> None:
        """Keep a line of text, in place of the one that is drawn.

        Args:
            text: the line.
        """
        if self._verbose:
            self._opened().finish([(text, "")])

    def clear_line(self) -> None:
        """Take the line away until the next redraw, so that others can print."""
        if self._screen is not None:
            self._screen.clear()

    def _title(self, epoch: int) -> str:
        return f"Epoch {epoch + 1}/{self.params['epochs']}" if "epochs" in self.params else f"Epoch {epoch + 1}"

    def _opened(self) -> Screen:
        if self._screen is None:
            self._screen = open_screen(self._console)
        return self._screen

    def _begin(self, title: str = "") -> None:
        if not self._verbose:
            return
        screen = self._opened()
        if title:
            screen.finish([(title, "")])
        now = self._clock()
        self._meter = _Meter(now, self.params.get("steps") or self._last_total)
        self._shown, self._arriving = {}, None
        if self._verbose == 1 and screen.redraws:
            self._draw(now)
            self._drawn_at = now - _SECONDS_BETWEEN_REDRAWS  # the first launch, which compiled, is shown at once

    def _is_due(self, now: float) -> bool:
        if self._verbose != 1 or self._screen is None or not self._screen.redraws:
            return False
        return now - self._drawn_at >= _SECONDS_BETWEEN_REDRAWS

    def _look(self, read_logs: Callable[[], Any]) -> None:
        """Show the newest logs that have arrived; ask for newer ones when none are under way."""
        for _ in range(2):
            if self._arriving is None:
                self._arriving = read_logs()
            if not self._arriving.ready():
                return
            self._shown, self._arriving = dict(self._arriving), None

    def _draw(self, now: float, note: str = "") -> None:
        if self._screen is not None:
            line = self._meter.running(now, self._shown, note)
            self._screen.draw(bar_line(line, width=self._screen.columns, glyphs=self._screen.glyphs))
            self._drawn_at = now

    def _finish(self, logs: Mapping[str, Any], title: str = "") -> None:
        if self._screen is None:
            return
        self._arriving = None
        values = dict(logs)  # waits for the device, so that the times below are true
        line = self._meter.finished(self._clock(), values)
        self._last_total = line.done
        if self._verbose == 2:
            self._screen.finish([(" - ".join([*([title] if title else []), text_line(line)]), "")])
        else:
            self._screen.finish(bar_line(line, glyphs=self._screen.glyphs))


@dataclasses.dataclass
class _Meter:
    """Counts steps and time of an epoch or a pass.

    Attributes:
        began: when it began.
        total: its steps; None if unknown.
        done: steps so far.
        first: when the first launch had been made and how many steps it had; it compiles, so it is no measure.
        stopped: when its last step ended; None while it runs.
        waiting: the share of the time that was spent waiting for data; None if unknown.
    """

    began: float
    total: int | None
    done: int = 0
    first: tuple[float, int] | None = None
    stopped: float | None = None
    waiting: float | None = None

    def count(self, done: int, now: float) -> None:
        """Note that `done` steps have been launched."""
        self.done = done
        self.first = self.first or (now, done)

    def running(self, now: float, logs: Mapping[str, float], note: str) -> Progress:
        """What to show in between: the time that is left, or if that is unknown the time spent."""
        total = None if self.total is not None and self.done > self.total else self.total
        step = self._step(now) if self._is_measured() else None
        left = step * (total - self.done) if step is not None and total is not None else None
        spent = now - self.began if self.done else None
        seconds = spent if left is None or note else left
        return Progress(self.done, total, seconds, step, logs, note, self.waiting)

    def finished(self, now: float, logs: Mapping[str, float]) -> Progress:
        """What to show at the end: the time spent."""
        step = self._step(now) if self.done else None
        return Progress(self.done, self._final_total(), now - self.began, step, logs, waiting=self.waiting)

    def _final_total(self) -> int:
        return self.done if self.total is None or self.done > self.total else self.total

    def _step(self, now: float) -> float:
        end = self.stopped or now
        if self.first is None or not self._is_measured():
            return (end - self.began) / self.done
        return (end - self.first[0]) / (self.done - self.first[1])

    def _is_measured(self) -> bool:
        """Whether enough steps came after the first launch, which runs on while they start: else their time is its."""
        return self.first is not None and self.done - self.first[1] >= self.first[1]
