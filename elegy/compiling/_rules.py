"""The rules, in the order in which they are tried."""

from ._argmax import argmax_by_comparison
from ._canonical import canonical_convolutions
from ._depthwise import depthwise_convolutions, depthwise_gradients
from ._draws import written_out_draws, written_out_folds
from ._groups import grouped_convolutions
from ._phases import convolution_phases
from ._pooling import pooling
from ._pooling_gradients import pooling_gradients
from ._products import kernel_gradients

LAYOUT_ONLY = (canonical_convolutions,)
"""What no program on CPU should do without; the results are those of the plain single step, bit by bit."""

DRAWS_ONLY = (written_out_draws, written_out_folds)
"""What initialization should not do without, which is compiled once and run once; the results are the same bits."""

ALL_RULES = (
    convolution_phases,
    depthwise_convolutions,
    depthwise_gradients,
    grouped_convolutions,
    canonical_convolutions,  # after those that make convolutions
    kernel_gradients,
    argmax_by_comparison,
    written_out_draws,  # without the folds: one written into the other would take half a minute to compile
    pooling,
    pooling_gradients,
)
"""Everything; the results differ by rounding."""
