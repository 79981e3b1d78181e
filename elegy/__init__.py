"""Elegy: a Keras-like training framework on JAX, whose losses and metrics ask by name for what they need."""

from . import callbacks as callbacks
from . import data as data
from . import initializers as initializers
from . import losses as losses
from . import metrics as metrics
from . import nets as nets
from . import nn as nn
from . import regularizers as regularizers
from ._errors import InjectionError as InjectionError
from ._errors import ModuleOrderError as ModuleOrderError
from ._in_step import in_step as in_step
from ._inject import bind as bind
from ._logs import Ratio as Ratio
from ._logs import Running as Running
from ._model import Model as Model
from ._reduce import Reduction as Reduction
from ._state import RunState as RunState
from ._when import When as When
from .callbacks import Callback as Callback
from .callbacks import Stop as Stop
from .data import Batch as Batch
from .losses import Loss as Loss
from .metrics import Metric as Metric
from .module import RNG as RNG
from .module import Module as Module
from .module import add_loss as add_loss
from .module import add_metric as add_metric
from .module import add_parameter as add_parameter
from .module import add_summary as add_summary
from .module import grad as grad
from .module import hooks_context as hooks_context
from .module import is_training as is_training
from .module import jit as jit
from .module import next_rng_key as next_rng_key
from .module import remat as remat
from .module import scan as scan
from .module import to_module as to_module
from .module import update_parameter as update_parameter
from .module import value_and_grad as value_and_grad
from .module import vmap as vmap

__version__ = "1.0.0a1"
