"""How many steps a launch runs: some tenths of a second, or a fixed number; and how many launches are in flight."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

_SECONDS = 0.1
_MOST_SECONDS = 0.5
_SECONDS_A_BYTE = 0.25e-9  # what fresh memory costs, as the system makes its pages one by one
_SHARE_OF_PAGES = 0.02
_PATIENCE = 0.02  # for a device without work; some twenty times what a launch costs beside a busy device
_GROWTH = 8
_IN_FLIGHT = 2


class Pace:
    """Decides the length of each launch from the time that earlier ones took.

    About a tenth of a second; more, up to half a second, where a launch needs so much memory anew that making its pages
    would cost more than a fiftieth of that. The length changes no result: one compiled loop serves every length.

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
        self._seconds = _SECONDS
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

    def launched(self, steps: int, ticket: Any, fresh_bytes: int = 0) -> None:
        """Note a launch, and wait for the one before last, so that the host never runs far ahead of the device.

        Args:
            steps: how many it runs.
            ticket: a small array that is ready when it is done; never donated.
            fresh_bytes: how much memory every launch needs anew.
        """
        self._seconds = min(_MOST_SECONDS, max(_SECONDS, fresh_bytes * _SECONDS_A_BYTE / _SHARE_OF_PAGES))
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
        wanted = int(self._seconds / max(self.step_seconds, 1e-9))
        self._length = max(1, min(wanted, _GROWTH * max(steps, self._length)))
