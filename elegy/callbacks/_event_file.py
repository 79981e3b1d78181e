"""One file of TensorBoard's events: scalars, histograms and hyper-parameters, written with tensorboardX."""

import importlib
import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

# Where the bars of a histogram begin, as TensorFlow has them: each a tenth wider than the one before.
_POSITIVE = 1e-12 * 1.1 ** np.arange(775)
_MOST = np.finfo(np.float64).max
_EDGES = np.concatenate([[-_MOST], -_POSITIVE[::-1], [0.0], _POSITIVE, [_MOST]])


class EventFile:
    """An open file of events in a folder of its own; what is written reaches the disk when it is flushed.

    Tags are written as they are; tensorboardX's own `SummaryWriter` would replace some of their characters.

    Args:
        folder: is made if there is none.
        purge_step: hides what earlier files of the folder hold from this step on.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, folder: str, purge_step: int | None = None) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.record_writer import directory_check

        # Protobuf makes the classes of these modules when they are imported.
        self._events: Any = importlib.import_module("tensorboardX.proto.event_pb2")
        self._summaries: Any = importlib.import_module("tensorboardX.proto.summary_pb2")
        directory_check(folder)
        # Two files of one second would have the same name, and the second one would replace the first.
        self._file = EventsWriter(os.path.join(folder, "events"), filename_suffix=f".{time.time_ns()}")
        if purge_step is not None:
            session_log = self._events.SessionLog
            self._write(purge_step, None, session_log=session_log(status=session_log.START))

    def scalars(self, values: Mapping[str, float], step: int, seconds: float | None = None) -> None:
        """Write numbers.

        Args:
            values: by tag a number.
            step: where on the axis.
            seconds: when they were made, since 1970; None is now.
        """
        if values:
            self._summary([{"tag": tag, "simple_value": float(value)} for tag, value in values.items()], step, seconds)

    def histograms(self, arrays: Mapping[str, Any], step: int) -> None:
        """Write how the values of arrays are distributed, without NaN and infinity; complex values by their size.

        Args:
            arrays: by tag an array of numbers, of any shape.
            step: where on the axis.
        """
        from tensorboardX.summary import make_histogram

        for tag, array in arrays.items():
            values = np.asarray(array)
            values = np.abs(values) if np.iscomplexobj(values) else values
            values = values.astype(np.float64).ravel()
            values = values[np.isfinite(values)]
            if values.size:
                self._summary([{"tag": tag, "histo": make_histogram(values, _EDGES)}], step, None)

    def session_start(self, hparams: Mapping[str, Any]) -> None:
        """Write the hyper-parameters of a run: `bool`, `int`, `float` or `str` by name."""
        self._write(None, None, summary=_session(hparams)[0])

    def session_end(self) -> None:
        """Write that the run with hyper-parameters came to its end."""
        self._write(None, None, summary=_session({})[1])

    def flush(self) -> None:
        """Put everything on the disk."""
        self._file.flush()

    def close(self) -> None:
        """Flush, and close the file."""
        self._file.close()

    def _summary(self, values: list[dict[str, Any]], step: int, seconds: float | None) -> None:
        summary = self._summaries.Summary
        self._write(step, seconds, summary=summary(value=[summary.Value(**value) for value in values]))

    def _write(self, step: int | None, seconds: float | None, **content: Any) -> None:
        wall_time = time.time() if seconds is None else seconds
        self._file.write_event(self._events.Event(wall_time=wall_time, step=step, **content))


def _session(hparams: Mapping[str, Any]) -> tuple[Any, Any]:
    """The summaries that begin and end a session of the HParams dashboard."""
    from tensorboardX.summary import hparams as session_summaries

    # The experiment, which would come first, lists hyper-parameters and metrics; without it the dashboard finds all.
    return session_summaries(dict(hparams), {})[1:]
