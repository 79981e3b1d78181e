"""The module system: modules with hooks, and the protocol that every kind of module goes through."""

from ._added import hooks_context as hooks_context
from ._added import running_context as running_context
from ._functional import as_functional as as_functional
from ._hooks import add_loss as add_loss
from ._hooks import add_metric as add_metric
from ._hooks import add_parameter as add_parameter
from ._hooks import add_summary as add_summary
from ._hooks import is_training as is_training
from ._hooks import next_rng_key as next_rng_key
from ._hooks import update_parameter as update_parameter
from ._keys import EVAL as EVAL
from ._keys import INIT as INIT
from ._keys import ORDER as ORDER
from ._keys import TRAIN as TRAIN
from ._keys import consumer_key as consumer_key
from ._keys import domain_key as domain_key
from ._module import Module as Module
from ._parameter import initial_value as initial_value
from ._per_sample import with_batches as with_batches
from ._protocol import Applied as Applied
from ._protocol import Extras as Extras
from ._protocol import Functional as Functional
from ._protocol import Variables as Variables
from ._rng import RNG as RNG
from ._rng import without_new_parameters as without_new_parameters
from ._to_module import to_module as to_module
