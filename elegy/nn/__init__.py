"""Layers: modules that most networks are made of."""

from ._batch_normalization import BatchNormalization as BatchNormalization
from ._conv import Conv2D as Conv2D
from ._dropout import Dropout as Dropout
from ._embedding import Embedding as Embedding
from ._flatten import Flatten as Flatten
from ._layer_normalization import LayerNormalization as LayerNormalization
from ._linear import Linear as Linear
from ._pooling import MaxPool as MaxPool
from ._sequential import Sequential as Sequential
