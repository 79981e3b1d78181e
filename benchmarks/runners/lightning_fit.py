"""Lightning: `Trainer.fit` as it comes, with loaders that take a batch in one go instead of row by row."""

import logging
import tempfile
import warnings
from typing import Any

import lightning
import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler, TensorDataset

from ..measure import unseen_terminal
from ..works import Work
from . import Run
from .torch_loop import THREADS, logs_of, make_data, make_network, make_optimizer

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Training(lightning.LightningModule):
    def __init__(self, work: Work, sides: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.sides = make_network(work), sides

    def training_step(self, batch: Any) -> torch.Tensor:
        x, *labels = batch
        loss, accuracies = logs_of(self.network(x), dict(zip(self.sides, labels, strict=True)))
        named = {f"accuracy_{side}": value for side, value in zip(self.sides, accuracies, strict=True)}
        self.log_dict({"loss": loss, **named}, on_step=False, on_epoch=True, batch_size=len(x))
        return loss

    def configure_optimizers(self) -> Any:
        return make_optimizer(self.network)


def setup(work: Work) -> Run:
    x, y = make_data(work)
    data = TensorDataset(x, *y.values())

    def run(epochs: int, shuffle: bool = True) -> list[float]:
        torch.set_num_threads(THREADS)  # the loop beside may have left one
        order = RandomSampler(data) if shuffle else SequentialSampler(data)
        loader = DataLoader(data, sampler=BatchSampler(order, work.batch, drop_last=False), batch_size=None)
        with unseen_terminal(), warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")
            trainer = lightning.Trainer(
                max_epochs=epochs, logger=False, enable_checkpointing=False, enable_model_summary=False,
                default_root_dir=folder, devices=1,
            )  # fmt: skip
            trainer.fit(Training(work, tuple(y)), loader)
        logs = trainer.callback_metrics
        return [float(logs["loss"]), *(float(logs[f"accuracy_{side}"]) for side in y)]

    return run
