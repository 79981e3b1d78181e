"""First values of parameters: frozen functions of a key, a shape and a dtype."""

from ._constant import Constant as Constant
from ._constant import Ones as Ones
from ._constant import Zeros as Zeros
from ._orthogonal import Orthogonal as Orthogonal
from ._random import RandomNormal as RandomNormal
from ._random import RandomUniform as RandomUniform
from ._random import TruncatedNormal as TruncatedNormal
from ._scaling import UniformScaling as UniformScaling
from ._scaling import VarianceScaling as VarianceScaling
