"""Layers: modules that most networks are made of."""

from ._attention import MultiHeadAttention as MultiHeadAttention
from ._batch_normalization import BatchNormalization as BatchNormalization
from ._bidirectional import Bidirectional as Bidirectional
from ._conv import Conv2D as Conv2D
from ._dropout import Dropout as Dropout
from ._embedding import Embedding as Embedding
from ._flatten import Flatten as Flatten
from ._gru import GRU as GRU
from ._layer_normalization import LayerNormalization as LayerNormalization
from ._linear import Linear as Linear
from ._lstm import LSTM as LSTM
from ._pooling import MaxPool as MaxPool
from ._sequential import Sequential as Sequential
from ._simple_rnn import SimpleRNN as SimpleRNN
from ._transformer import Transformer as Transformer
from ._transformer_decoder import TransformerDecoder as TransformerDecoder
from ._transformer_decoder import TransformerDecoderLayer as TransformerDecoderLayer
from ._transformer_encoder import TransformerEncoder as TransformerEncoder
from ._transformer_encoder import TransformerEncoderLayer as TransformerEncoderLayer
