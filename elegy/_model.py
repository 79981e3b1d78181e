"""`Model`: the facade that reads like Keras, keeps the latest state, and delegates everything else."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import jax.numpy as jnp

from ._accumulation import require_accumulate
from ._arguments import refuse_compile, refuse_unknown
from ._ema import ema_parameters, require_decay
from ._fit import FitArguments, fit
from ._logs import LazyLogs
from ._objective import Objective
from ._on_batch import initialized, predict_on_batch, test_on_batch, train_on_batch
from ._optimizer import as_optimizer, only_learning_rate, with_learning_rate
from ._passes import run_evaluation
from ._precision import require_precision
from ._prediction import run_prediction
from ._pure_steps import PureSteps
from ._state import RunState, seed_words
from ._steps import LR_SCALE, Recipe
from ._summary import in_one_line, show, summary
from ._tables import say
from ._trainer import Trainer
from ._weights import load_weights, save_weights
from ._wiring import wiring
from .callbacks import History
from .compiling import require_folder, with_persistent_cache
from .interop import as_functional


class Model(PureSteps):
    """Trains, evaluates and runs any module, with losses and metrics that ask for what they need by name.

    Args:
        module: an `elegy.Module`, any object with `call` or `__call__`, a function, a pair `(init, apply)`, a module of
            Flax NNX or of Equinox, or a pair of the latter and its `eqx.nn.State`.
        loss: a loss, a function, a Keras name like `"mse"`, or a nest of these in lists and dicts; they add up.
        metrics: metrics, functions, losses or names, in nests like those of `loss`.
        optimizer: an Optax transformation, a name like `"adam"`, a learning rate (of adam), or a dict from path
            patterns to these.
        seed: an integer from 0 to 2**64 - 1; initial values, dropout and the order of the data follow from it.
        run_eagerly: run the same steps without compiling or rewriting them, to look into them.
        batched: False if the module is written for one sample: it is mapped over the batch along the axis `"batch"`.
        rewrite: let steps be rewritten for CPU before they are compiled; the results differ by rounding only.
        ema: keep running averages of the parameters, of which each update keeps this share, like 0.999; validation,
            `evaluate` and `predict` use them. `parameters` stay what is learned, `ema_parameters` are the averages.
        precision: "bfloat16" or that dtype: the module computes in half the bits; parameters, gradients, states, and
            all that losses, metrics and `predict` see stay in float32. None or "float32" changes nothing.
        accumulate: how many batches of `fit` make one update, with the gradient that all their rows have together. The
            last update of an epoch takes what is left. A step is an update: `step`, schedules, `on_train_batch_*`,
            `steps_per_epoch` and the bar count these, `batch_size` is how many rows go through the module at a time.
            For `train_on_batch` a batch is an update.
        compilation_cache: a folder in which compiled programs are kept, so that another process that runs the same
            verbs on the same shapes compiles nothing. While a verb runs it is JAX's one persistent cache: its settings
            `jax_compilation_cache_dir` and the least time and size of an entry (none) are set, and put back. None
            leaves JAX as it is set.

    Raises:
        TypeError, ValueError: something is no module, loss, metric or optimizer.

    Example:
        >>> import elegy, jax.numpy as jnp, numpy as np
        >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
        >>> def mse(y_true, y_pred): return jnp.square(y_true - y_pred).mean(-1)
        >>> model = elegy.Model(elegy.nn.Linear(1), loss=mse, optimizer="adam", seed=0)
        >>> history = model.fit(x, 3 * x, epochs=2, batch_size=16, verbose=0)
        >>> list(history.history)
        ['loss', 'mse_loss', 'learning_rate']
        >>> model.predict(x, verbose=0).shape
        (64, 1)
    """

    def __init__(
        self,
        module: Any,
        loss: Any = None,
        metrics: Any = None,
        optimizer: Any = None,
        *,
        seed: int = 42,
        run_eagerly: bool = False,
        batched: bool = True,
        rewrite: bool = True,
        ema: float | None = None,
        precision: Any = None,
        accumulate: int = 1,
        compilation_cache: str | os.PathLike[str] | None = None,
        **unknown: Any,
    ) -> None:
        known = ("module", "loss", "metrics", "optimizer", "seed", "run_eagerly", "batched", "rewrite", "ema")
        refuse_unknown("Model", unknown, (*known, "precision", "accumulate", "compilation_cache"))
        functional = as_functional(module, batched=batched)
        objective = Objective(loss, metrics, functional.name)
        own = [name for name in ("train_step", "losses") if getattr(type(self), name) is not getattr(PureSteps, name)]
        recipe = Recipe(
            functional,
            objective,
            as_optimizer(optimizer),
            ema=require_decay(ema),
            precision=require_precision(precision),
            accumulate=require_accumulate(accumulate, own, objective),
        )
        self._trainer = Trainer(self, recipe, seed_words(seed), eager=run_eagerly, rewrite=rewrite)
        self.compilation_cache = require_folder(compilation_cache)
        """The folder in which compiled programs are kept; None if in none."""
        self.history: History | None = None
        """What the last `fit` returned."""
        self.stop_training = False
        """Set it in a callback to end the fit after the launch that runs."""

    @with_persistent_cache
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | Literal["batch"] = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        *,
        drop_remainder: bool = False,
        nonfinite: str = "warn",
        execution: str = "auto",
        steps_per_execution: int | None = None,
        step_logs: bool = False,
        max_compilations: int | None = None,
        **unknown: Any,
    ) -> History:
        """Train, with Keras' arguments.

        Args:
            x: arrays `(rows, ...)` or nests of them, `elegy.Batch`, an iterator, a function that makes one, a loader.
            y: labels `(rows, ...)`, any nest; the name of a column if `x` is a mapping.
            batch_size: rows of a batch; None is 32, or `ceil(rows / steps_per_epoch)`.
            epochs: the epoch to end with, not how many.
            verbose: 0 silent, 1 a bar, 2 a line an epoch; "auto" is 1 on a terminal, else 2. Before the first epoch a
                line tells how the fit runs, and why; one at the end says what bound it, and what would help.
            callbacks: a callback or a list of them; functions marked with `elegy.in_step` run inside the step.
            validation_split: share of the last rows, taken before shuffling, to validate on.
            validation_data: `(x, y)` or `(x, y, sample_weight)`, a source, or a dict of named sets of these.
            shuffle: True; False; or "batch", which keeps the rows of a batch together. The order follows from the seed.
            class_weight: class -> weight, for the losses that ask for it; training only. By output for several outputs.
            sample_weight: weights `(rows,)` or per element; a dict by output for losses with `on=`.
            initial_epoch: the epoch to begin with.
            steps_per_epoch: steps an epoch; the data goes on where the last epoch ended.
            validation_steps: batches of a validation pass; None takes all.
            validation_batch_size: rows of a validation batch; None is `batch_size`.
            validation_freq: validate every n-th epoch, or a list of epochs counted from 1.
            drop_remainder: leave out the smaller last batch.
            nonfinite: a loss that is NaN or infinite: "warn" once an epoch has ended, naming the step; "raise", or
                "stop" as `elegy.Stop` does, at the latest when one more launch has run; or "skip": a step whose loss or
                gradients are not finite is counted and changes nothing, neither parameters nor optimizer, states nor
                metrics. The log `skipped_steps` counts these, and other logs leave them out. In a `train_step` of your
                own, what counts are the log `loss` and the gradients given to `apply_gradients`.
            execution: "auto" chooses; "resident" keeps the data on the device and "chunks" stacks batches, so that one
                launch runs many steps; "single" launches each step by itself.
            steps_per_execution: how many steps a launch runs; None takes as many as fit into some tenths of a second.
            step_logs: keep the logs of each step too, as `on_train_batch_end` gets them, in `history.steps`.
            max_compilations: how many programs this fit may compile; one more is an error before it is compiled, which
                names what changed. A first fit compiles one for its steps, one for a smaller last batch and one for
                the logs, and as many for each validation set; another fit with the same shapes, callbacks and
                configuration compiles none, so 0 fits there.
            **unknown: refused, with what to write instead.

        Returns:
            The history: `.history` has one float an epoch and log name.

        Raises:
            InjectionError, ValueError, TypeError: something does not fit, found before the first step is compiled.
            FloatingPointError: `nonfinite="raise"` and the loss was not finite.
            RuntimeError: more than `max_compilations` programs are needed.
        """
        refuse_unknown("fit", unknown, [field.name for field in dataclasses.fields(FitArguments)])
        return fit(self._trainer, FitArguments(
            x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle, class_weight,
            sample_weight, initial_epoch, steps_per_epoch, validation_steps, validation_batch_size, validation_freq,
            drop_remainder, nonfinite, execution, steps_per_execution, step_logs, max_compilations,
        ))  # fmt: skip

    @with_persistent_cache
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        ema: bool | None = None,
        **unknown: Any,
    ) -> dict[str, float]:
        """Losses and metrics over data, floats by log name, exact whatever the batch size.

        Args:
            x, y, batch_size, verbose, sample_weight, callbacks: as for `fit`.
            steps: how many batches; None takes all.
            ema: whether the averages of the parameters are used; None uses them if the model has any.

        Raises:
            InjectionError, ValueError, TypeError: something does not fit.
        """
        known = ("x", "y", "batch_size", "verbose", "sample_weight", "steps", "callbacks", "ema")
        refuse_unknown("evaluate", {k: v for k, v in unknown.items() if (k, v) != ("return_dict", True)}, known)
        return run_evaluation(self._trainer, x, y, batch_size, verbose, sample_weight, steps, callbacks, ema)

    @with_persistent_cache
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        ema: bool | None = None,
        *,
        writer: Callable[[Any], Any] | None = None,
        **unknown: Any,
    ) -> Any:
        """The outputs for all rows, as NumPy arrays in the module's own structure.

        They go to the host while the next batches run, so that memory is the result and a few batches. Small batches of
        arrays run many in a launch, about 4 MB; those of a stream one by one, as they come.

        Args:
            x, batch_size, verbose, callbacks: as for `fit`.
            steps: how many batches; None takes all.
            ema: as for `evaluate`.
            writer: called with the outputs of each batch, in order, before its `on_predict_batch_end`; they are to
                be read, not changed. Nothing else is kept, and `predict` returns None.

        Raises:
            ValueError: an output has no batch axis, or without a writer batches give rows of several shapes.
            TypeError: the writer cannot be called.
        """
        refuse_unknown("predict", unknown, ("x", "batch_size", "verbose", "steps", "callbacks", "ema", "writer"))
        return run_prediction(self._trainer, x, batch_size, verbose, steps, callbacks, ema, writer)

    @with_persistent_cache
    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None) -> LazyLogs:
        """One step on one batch, given as to `fit`: each loss of this step, each metric since `reset_metrics`."""
        return train_on_batch(self._trainer, x, y, sample_weight, class_weight)

    @with_persistent_cache
    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None) -> LazyLogs:
        """As `train_on_batch`, without learning; its metrics accumulate by themselves."""
        return test_on_batch(self._trainer, x, y, sample_weight)

    @with_persistent_cache
    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch of inputs `x`, as NumPy arrays."""
        return predict_on_batch(self._trainer, x)

    @with_persistent_cache
    def init(self, x: Any, y: Any = None, sample_weight: Any = None) -> RunState:
        """Make the arrays from a look at the first batch, check that everything fits, and return the first state."""
        return initialized(self._trainer, x, y, sample_weight)

    def reset(self) -> None:
        """Forget all that was learned; the next verb starts from the same seed, or from what the module brought."""
        self._trainer.reset()
        self.history = None

    def reset_metrics(self) -> None:
        """Start the metrics of `train_on_batch` and `test_on_batch` anew."""
        self._trainer.reset_metrics()

    def summary(self, x: Any = None, depth: int | None = None) -> None:
        """Print the modules with outputs, parameters and bytes; in a notebook, show them as a table.

        Args:
            x: inputs `(rows, ...)`, of which only shapes count; left out, those of the last verb.
            depth: modules further down are added to the one above; 0 leaves the root alone.
        """
        show(summary(self._trainer, x, depth))

    def wiring(self, x: Any = None, y: Any = None, sample_weight: Any = None) -> None:
        """Print what each loss and metric asks for, where that comes from, and all that is on offer.

        The arguments are as for `fit`; without them the shapes of the last verb are shown.
        """
        say(wiring(self._trainer, x, y, sample_weight))

    def save_weights(self, path: str | Path) -> Path:
        """Write parameters, their averages if any, and states to one safetensors file, and return its path."""
        return save_weights(path, self._trainer.home.look())

    def load_weights(self, path: str | Path) -> None:
        """Read what `save_weights` wrote; names, shapes and dtypes must be exactly the model's.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it differs from the model; all differences are listed.
        """
        self.state = load_weights(path, self._trainer.home.look())

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Refused with a TypeError: losses, metrics and optimizer belong to the constructor."""
        refuse_compile(*args, **kwargs)

    @property
    def state(self) -> RunState:
        """Every array of the run, as one immutable pytree; the arrays are yours to keep."""
        return self._trainer.home.hand_out()

    @state.setter
    def state(self, state: RunState) -> None:
        self._trainer.home.replace(state)

    @property
    def parameters(self) -> Any:
        """What the module learns, as nested dicts."""
        return self.state.parameters

    @property
    def ema_parameters(self) -> Any:
        """The running averages of the parameters, as nested dicts, if `Model(ema=...)` keeps them; else None."""
        return ema_parameters(self.state)

    @property
    def states(self) -> Any:
        """What the module keeps besides, as nested dicts."""
        return self.state.states

    @property
    def module(self) -> Any:
        """The module as it was given, holding the newest arrays; an immutable one is made anew, with its state."""
        self._trainer.home.show()
        return self._trainer.recipe.module.module()

    def freeze(self, *patterns: str) -> None:
        """Stop learning what is named: no gradient, no decay, no optimizer slots; running statistics stay as they are.

        Args:
            *patterns: modules or parameters, like `"encoder/*"` and `"**/b"`; none means all. In a callback they count
                from the next launch on.

        Raises:
            ValueError: a pattern names nothing; before there are arrays this is found when they are made.
        """
        self._trainer.freeze(patterns, freezes=True)

    def unfreeze(self, *patterns: str) -> None:
        """Let what is named learn again, in whole or in part; as `freeze`, none means all."""
        self._trainer.freeze(patterns, freezes=False)

    @property
    def frozen(self) -> tuple[str, ...]:
        """Patterns of all that does not learn: by `freeze`, and by `module.trainable = False`."""
        return self._trainer.frozen

    @property
    def learning_rate(self) -> float:
        """The optimizer's learning rate, if it was given by name, by number or through `optax.inject_hyperparams`.

        Raises:
            ValueError: the optimizer hides it, or holds several.
        """
        return only_learning_rate(self._trainer.home.look().optimizer or {})

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        home = self._trainer.home
        home.change(optimizer=with_learning_rate(home.look().optimizer or {}, value))

    @property
    def lr_scale(self) -> float:
        """A factor on the updates of whatever optimizer; 1.0 unless it was set."""
        return float(self._trainer.home.look().live[LR_SCALE])

    @lr_scale.setter
    def lr_scale(self, value: float) -> None:
        home = self._trainer.home
        home.change(live={**home.look().live, LR_SCALE: jnp.float32(value)})

    def better(self, name: str) -> str | None:
        """Whether a log, named with or without `val_`, improves by going "higher" or "lower"; None if nobody says."""
        return self._trainer.recipe.objective.better(name)

    def __elegy_config__(self) -> dict[str, Any]:
        """A function that closes over its model has no configuration from there."""
        return {}

    def __repr__(self) -> str:
        """The module's name, the names of losses and metrics, and how far it is trained."""
        return f"{type(self).__name__}({in_one_line(self._trainer)})"
