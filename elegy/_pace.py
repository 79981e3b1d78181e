"""How many steps a launch runs: about a tenth of a second, or a fixed number; and how many launches are in flight."""

import time
from collections import deque
from typing import Any

_SECONDS = 0.1
_GROWTH = 8
_IN_FLIGHT = 2


class Pace:
    """Decides the length of each launch from the time that earlier ones took.

    The length changes no result: one compiled loop serves every length.

    Args:
        most: no launch runs more steps.
        fixed: every launch runs so many steps, whatever the clock says; None lets it adapt.
    """

    def __init__(self, most: int, fixed: int | None = None) -> None:
        self._most = most
        self._fixed = fixed
        self._length = 1
        self._flying: deque[tuple[int, float, Any]] = deque()
        self._done = 0.0
        self.step_seconds: float | None = None
        """What a step of the newest finished launch took; None before there is one."""

    def length(self) -> int:
        """The steps of the next launch."""
        return min(self._most, self._length if self._fixed is None else self._fixed)

    def launched(self, steps: int, ticket: Any) -> None:
        """Note a launch, and wait for the one before last, so that the host never runs far ahead of the device.

        Args:
            steps: how many it runs.
            ticket: a small array that is ready when it is done; never donated.
        """
        self._flying.append((steps, time.perf_counter(), ticket))
        while len(self._flying) >= _IN_FLIGHT:
            self._land()

    def settle(self) -> None:
        """Wait for all launches."""
        while self._flying:
            self._land()

    def _land(self) -> None:
        steps, begun, ticket = self._flying.popleft()
        ticket.block_until_ready()
        now = time.perf_counter()
        self.step_seconds = (now - max(begun, self._done)) / steps
        self._done = now
        wanted = int(_SECONDS / max(self.step_seconds, 1e-9))
        self._length = max(1, min(wanted, _GROWTH * max(steps, self._length)))
