"""Single questions about costs, one file a theme; each is a function `(pace) -> list of findings`."""

from collections.abc import Callable

from ..measure import Finding, Pace
from .additions import batch_hook, callbacks, in_step, metrics, tensorboard
from .inference import evaluate, predict
from .leaves import leaves
from .memory import memory, writer
from .startup import first_step, import_time
from .stream import stream
from .verdict import verdict

QUESTIONS: dict[str, Callable[[Pace], list[Finding]]] = {
    "metrics": metrics,
    "callbacks": callbacks,
    "tensorboard": tensorboard,
    "batch-hook": batch_hook,
    "in-step": in_step,
    "leaves": leaves,
    "first-step": first_step,
    "import": import_time,
    "predict": predict,
    "evaluate": evaluate,
    "stream": stream,
    "verdict": verdict,
    "memory": memory,
    "writer": writer,
}
