"""How many steps a launch runs: about a tenth of a second, or a fixed number; and how many launches are in flight."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

_SECONDS = 0.1
_PATIENCE = 0.01  # for a device without work; a hundred times what a launch costs
_GROWTH = 8
_IN_FLIGHT = 2


class Pace:
    """Decides the length of each launch from the time that earlier ones took.

    The length changes no result: one compiled loop serves every length.

    Args:
        most: no launch runs more steps.
        fixed: every launch runs so many steps, whatever the clock says; None lets it adapt.
        hurries: give a device that has run out of work what there is, also between two lengths.
        clock: tells the time in seconds.
    """

    def __init__(
        self,
        most: int,
        fixed: int | None = None,
        *,
        hurries: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._most = most
        self._fixed = fixed
        self._hurries = hurries
        self._clock = clock
        self._length = 1
        self._flying: deque[tuple[int, float, Any]] = deque()
        self._done = 0.0
        self._free_since = 0.0
        self.step_seconds: float | None = None
        """What a step of the newest finished launch took; None before there is one."""

    def length(self) -> int:
        """The steps of the next launch, as things are now."""
        if self._fixed is not None:
            return min(self._most, self._fixed)
        return 1 if self._is_idle() else min(self._most, self._length)

    def launched(self, steps: int, ticket: Any) -> None:
        """Note a launch, and wait for the one before last, so that the host never runs far ahead of the device.

        Args:
            steps: how many it runs.
            ticket: a small array that is ready when it is done; never donated.
        """
        self._flying.append((steps, self._clock(), ticket))
        while len(self._flying) >= _IN_FLIGHT:
            self._land()
        self._free_since = self._clock()

    def settle(self) -> None:
        """Wait for all launches."""
        while self._flying:
            self._land()

    def _is_idle(self) -> bool:
        """Whether the host has gathered steps for a while, and what was launched before is done."""
        if not self._hurries or not self._flying or self._clock() - self._free_since < _PATIENCE:
            return False
        return all(ticket.is_ready() for *_, ticket in self._flying)

    def _land(self) -> None:
        steps, begun, ticket = self._flying.popleft()
        ticket.block_until_ready()
        now = self._clock()
        self.step_seconds = (now - max(begun, self._done)) / steps
        self._done = now
        wanted = int(_SECONDS / max(self.step_seconds, 1e-9))
        self._length = max(1, min(wanted, _GROWTH * max(steps, self._length)))
