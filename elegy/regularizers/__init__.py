"""Regularizers: losses over the module's parameters."""

from ._global_l1 import GlobalL1 as GlobalL1
from ._global_l1_l2 import GlobalL1L2 as GlobalL1L2
from ._global_l2 import GlobalL2 as GlobalL2
