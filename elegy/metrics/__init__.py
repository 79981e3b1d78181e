"""Metrics: what is watched while training and evaluating, exact over batches of any size."""

from ._accuracy import Accuracy as Accuracy
from ._accuracy import BinaryAccuracy as BinaryAccuracy
from ._accuracy import CategoricalAccuracy as CategoricalAccuracy
from ._accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from ._aggregate import Mean as Mean
from ._aggregate import Sum as Sum
from ._distance import MeanAbsoluteError as MeanAbsoluteError
from ._distance import MeanSquaredError as MeanSquaredError
from ._hook_state import HookState as HookState
from ._hook_state import run_hooks as run_hooks
from ._hook_state import total_value as total_value
from ._metric import Metric as Metric
from ._metric import empty_state as empty_state
from ._metric import updated_state as updated_state
from ._metric import uses_hooks as uses_hooks
from ._precision_recall import F1 as F1
from ._precision_recall import Precision as Precision
from ._precision_recall import Recall as Recall
from ._strings import resolve_metric as resolve_metric
