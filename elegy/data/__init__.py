"""Data for training: what users hold becomes a source of named batches that knows its position."""

from ._adapt import as_source as as_source
from ._adapt import is_stream as is_stream
from ._arrays import ArraySource as ArraySource
from ._batch import Batch as Batch
from ._dataset import Dataset as Dataset
from ._iterators import StreamSource as StreamSource
from ._loader import DataLoader as DataLoader
from ._sequence import SequenceSource as SequenceSource
from ._source import Position as Position
from ._source import Source as Source
from ._source import endless as endless
from ._split import validation_split as validation_split
