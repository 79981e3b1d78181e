"""Metrics: what is watched while training and evaluating, exact over batches of any size."""

from ._accuracy import Accuracy as Accuracy
from ._accuracy import BinaryAccuracy as BinaryAccuracy
from ._accuracy import CategoricalAccuracy as CategoricalAccuracy
from ._accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from ._aggregate import Mean as Mean
from ._aggregate import Sum as Sum
from ._distance import MeanAbsoluteError as MeanAbsoluteError
from ._distance import MeanSquaredError as MeanSquaredError
from ._metric import Metric as Metric
from ._precision_recall import F1 as F1
from ._precision_recall import Precision as Precision
from ._precision_recall import Recall as Recall
