"""Threads or processes that load batches ahead, and hand them out in order."""

import collections
import contextlib
import copy
import multiprocessing
import os
import signal
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Literal

import jax

Load = Callable[[Sequence[int]], Any]
"""Loads the samples of these numbers as one batch."""

WorkerType = Literal["thread", "process"]


class Workers:
    """Loads batches ahead in threads or processes, which stay for later passes and end with this object.

    Processes are spawned, never forked: JAX has threads, of which a forked child would wait for ever. They compute on
    the CPU, whatever devices there are.

    Args:
        load: loads one batch; for processes it must be possible to send it to one.
        count: how many workers, `>= 1`.
        kind: "thread" or "process".
        ahead: how many batches are loaded before they are asked for, `>= 1`.
        timeout: seconds that a batch may take; None waits for ever.
    """

    def __init__(self, load: Load, *, count: int, kind: WorkerType, ahead: int, timeout: float | None) -> None:
        self._load = load
        self._count = count
        self._kind: WorkerType = kind
        self._ahead = ahead
        self._timeout = timeout
        self._executor: Executor | None = None
        self._end: Callable[[], Any] = lambda: None

    def ordered(self, batches: Iterable[Sequence[int]]) -> Iterator[Any]:
        """The batches of these sample numbers, in order.

        Raises:
            ValueError: the dataset cannot be sent to a process.
            TimeoutError: a batch took longer than the limit.
            RuntimeError: a process ended by itself.
        """
        waiting: collections.deque[tuple[int, Future[Any]]] = collections.deque()
        try:
            for number, samples in enumerate(batches):
                waiting.append((number, self._submit(samples)))
                if len(waiting) > self._ahead:
                    yield self._result(*waiting.popleft())
            while waiting:
                yield self._result(*waiting.popleft())
        finally:
            for _, future in waiting:
                future.cancel()

    def close(self) -> None:
        """End the workers; the next batch would start new ones."""
        self._end()
        self._executor = None

    def _submit(self, samples: Sequence[int]) -> Future[Any]:
        if self._kind == "thread":
            return self._started().submit(self._load, samples)
        try:
            return self._started().submit(_load_here, samples)
        except BrokenProcessPool as error:
            failed: Future[Any] = Future()  # which is told when its turn comes
            failed.set_exception(error)
            return failed
        except Exception as error:  # whatever the pickling of a user's dataset raises
            self.close()
            raise ValueError(
                f'`worker_type="process"` was asked for. The dataset cannot be sent to another process: {error} Define '
                'its class and its `collate_fn` at the top of a module, or use `worker_type="thread"`.'
            ) from error

    def _started(self) -> Executor:
        if self._executor is None:
            if self._kind == "thread":
                self._executor = ThreadPoolExecutor(self._count, thread_name_prefix="elegy-data")
                self._end = weakref.finalize(self, _end_threads, self._executor)
            else:
                spawn = multiprocessing.get_context("spawn")
                numbers = spawn.SimpleQueue()
                self._executor = ProcessPoolExecutor(
                    self._count, mp_context=spawn, initializer=_begin_process, initargs=(self._load, numbers)
                )
                self._end = weakref.finalize(self, _end_processes, self._executor, numbers)
        return self._executor

    def _result(self, number: int, future: Future[Any]) -> Any:
        try:
            return future.result(self._timeout)
        except TimeoutError as error:
            if future.done():  # the dataset's own
                raise
            self.close()
            raise TimeoutError(
                f"Batch {number} of the pass was waited for. It took longer than timeout={self._timeout} seconds. "
                "Raise `timeout`, or find out with `n_workers=0` where the dataset waits."
            ) from error
        except BrokenProcessPool as error:
            self.close()
            raise RuntimeError(
                f"Batch {number} of the pass was waited for. A worker process ended before it was loaded. See above "
                'what it wrote; a script that starts processes needs `if __name__ == "__main__":` around what it '
                "does, and `n_workers=0` shows errors of the dataset where they are."
            ) from error


_process: dict[str, Load] = {}  # of a worker process only: what it loads with, sent once and not with every batch


def _begin_process(load: Load, numbers: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains
    jax.config.update("jax_platforms", "cpu")  # a dataset that uses JAX must not take the accelerator's memory
    _process["load"] = load
    numbers.put(os.getpid())


def _load_here(samples: Sequence[int]) -> Any:
    try:
        return _process["load"](samples)
    except Exception as error:
        if _travels(error):
            raise
        raise RuntimeError(f"{type(error).__name__}: {error}") from error


def _travels(error: Exception) -> bool:
    """Whether an error can be sent to another process: its constructor may want more than it keeps."""
    try:
        copy.copy(error)  # by the same road as from process to process
    except Exception:  # whatever the pickling of a user's error raises
        return False
    return True


def _end_threads(executor: Executor) -> None:
    executor.shutdown(wait=False, cancel_futures=True)


def _end_processes(executor: Executor, numbers: Any) -> None:
    """Ends the processes at once: one that hangs in a dataset would else keep the interpreter from ending."""
    executor.shutdown(wait=False, cancel_futures=True)
    while not numbers.empty():
        with contextlib.suppress(ProcessLookupError):
            os.kill(numbers.get(), signal.SIGTERM)
    numbers.close()
