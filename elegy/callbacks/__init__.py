"""Callbacks: be told what happens while a model trains, evaluates or predicts, and answer."""

from ._callback import Callback as Callback
from ._callback import Stop as Stop
from ._callback_list import CallbackList as CallbackList
from ._csv_logger import CSVLogger as CSVLogger
from ._early_stopping import EarlyStopping as EarlyStopping
from ._history import History as History
from ._json_lines_logger import JSONLinesLogger as JSONLinesLogger
from ._lambda_callback import LambdaCallback as LambdaCallback
from ._learning_rate_scheduler import LearningRateScheduler as LearningRateScheduler
from ._model_checkpoint import ModelCheckpoint as ModelCheckpoint
from ._progress_bar import ProgressBar as ProgressBar
from ._progress_bar import resolve_verbose as resolve_verbose
from ._reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
from ._remote_monitor import RemoteMonitor as RemoteMonitor
from ._tensorboard import TensorBoard as TensorBoard
from ._terminate_on_nan import TerminateOnNaN as TerminateOnNaN
from ._timer import Timer as Timer
