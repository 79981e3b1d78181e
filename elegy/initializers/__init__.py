"""First values of parameters: frozen functions of a key, a shape and a dtype."""

from ._constant import Constant as Constant
from ._constant import Identity as Identity
from ._constant import Ones as Ones
from ._constant import Zeros as Zeros
from ._fans import GlorotNormal as GlorotNormal
from ._fans import GlorotUniform as GlorotUniform
from ._fans import HeNormal as HeNormal
from ._fans import HeUniform as HeUniform
from ._fans import LecunNormal as LecunNormal
from ._fans import LecunUniform as LecunUniform
from ._orthogonal import Orthogonal as Orthogonal
from ._random import RandomNormal as RandomNormal
from ._random import RandomUniform as RandomUniform
from ._random import TruncatedNormal as TruncatedNormal
from ._scaling import UniformScaling as UniformScaling
from ._scaling import VarianceScaling as VarianceScaling
