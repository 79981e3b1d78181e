"""Callbacks: be told what happens while a model trains, evaluates or predicts, and answer."""

from ._callback import Callback as Callback
from ._callback import Stop as Stop
from ._callback_list import CallbackList as CallbackList
from ._early_stopping import EarlyStopping as EarlyStopping
from ._history import History as History
from ._lambda_callback import LambdaCallback as LambdaCallback
from ._progress_bar import ProgressBar as ProgressBar
from ._progress_bar import resolve_verbose as resolve_verbose
from ._tensorboard import TensorBoard as TensorBoard
from ._terminate_on_nan import TerminateOnNaN as TerminateOnNaN
