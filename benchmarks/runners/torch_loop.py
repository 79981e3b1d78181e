"""A PyTorch loop without detours: data on the device, the fused optimizer, logs read once an epoch."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ..measure import fastest
from ..works import LEARNING_RATE, Work
from . import Run

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.set_float32_matmul_precision("high")  # what JAX does on GPUs too; without effect on CPU
THREADS = torch.get_num_threads()
NAMES = {"w": "weight", "b": "bias", "scale": "weight", "offset": "bias", "embeddings": "weight"}


class MLP(nn.Module):
    def __init__(self, work: Work) -> None:
        super().__init__()
        self.last = len(work.sizes) - 2
        for number in range(self.last + 1):
            setattr(self, f"layer_{number}", nn.Linear(*work.sizes[number : number + 2]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for number in range(self.last):
            x = functional.relu(getattr(self, f"layer_{number}")(x))
        return getattr(self, f"layer_{self.last}")(x)


class TwoHeads(nn.Module):
    def __init__(self, work: Work) -> None:
        super().__init__()
        inputs, hidden, left, right = work.sizes
        self.body, self.left, self.right = nn.Linear(inputs, hidden), nn.Linear(hidden, left), nn.Linear(hidden, right)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        x = functional.relu(self.body(x))
        return {"left": self.left(x), "right": self.right(x)}


class ConvNet(nn.Module):
    """Channels first, as PyTorch has them; XLA's "SAME" with stride 2 pads only after an even image."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.conv_1, self.conv_2 = nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 64, 3, stride=2)
        self.hidden, self.head = nn.Linear(14 * 14 * 64, 128), nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.conv_1(x))
        x = functional.relu(self.conv_2(functional.pad(x, (0, 1, 0, 1))))
        return self.head(functional.relu(self.hidden(x.flatten(1))))


class Block(nn.Module):
    def __init__(self, work: Work) -> None:
        super().__init__()
        self.heads, width = work.heads, work.width
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        projected = self.query_key_value(self.norm_1(x)).chunk(3, dim=-1)
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in projected)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.mixed(mixed.transpose(1, 2).flatten(2))
        return x + self.narrow(functional.gelu(self.wide(self.norm_2(x)), approximate="tanh"))


class Decoder(nn.Module):
    def __init__(self, work: Work) -> None:
        super().__init__()
        self.layers = work.layers
        self.words = nn.Embedding(work.vocabulary, work.width)
        self.places = nn.Embedding(work.sequence, work.width)
        for number in range(work.layers):
            setattr(self, f"block_{number}", Block(work))
        self.norm, self.head = nn.LayerNorm(work.width), nn.Linear(work.width, work.vocabulary)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.words(x) + self.places.weight
        for number in range(self.layers):
            x = getattr(self, f"block_{number}")(x)
        return self.head(self.norm(x))


NETWORKS = {"mlp": MLP, "two_heads": TwoHeads, "conv_net": ConvNet, "decoder": Decoder}


def make_network(work: Work) -> nn.Module:
    """The network of a work with its initial values."""
    values = work.initial()
    if work.network == "conv_net":  # channels come first here, so these rows lie in another order
        w = values["hidden"]["w"].reshape(14, 14, 64, 128).transpose(2, 0, 1, 3).reshape(-1, 128)
        values["hidden"]["w"] = w
    network = NETWORKS[work.network](work)
    with torch.no_grad():
        _fill(network, values)
    return network


def make_optimizer(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters(), LEARNING_RATE, fused=True)


def make_data(work: Work) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Inputs, and labels by head."""
    x, y = work.data()
    if work.network == "conv_net":
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    labels = y if isinstance(y, dict) else {"only": y}
    return torch.from_numpy(x), {side: torch.from_numpy(column).long() for side, column in labels.items()}


def logs_of(scores: Any, labels: dict[str, torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The sum of the heads' mean crossentropies, and each head's accuracy."""
    by_side = scores if isinstance(scores, dict) else {"only": scores}
    losses, accuracies = [], []
    for side, y in labels.items():
        flat = by_side[side].flatten(0, -2)
        losses.append(functional.cross_entropy(flat, y.flatten()))
        accuracies.append((flat.detach().argmax(-1) == y.flatten()).float().mean())
    return torch.stack(losses).sum() if len(losses) > 1 else losses[0], accuracies


def setup(work: Work) -> Run:
    """The faster of PyTorch's usual number of threads and one, which suits small arrays."""
    return fastest([_run(work, threads) for threads in sorted({1, THREADS})])


def setup_usual(work: Work) -> Run:
    """With PyTorch's usual number of threads."""
    return _run(work, THREADS)


def _run(work: Work, threads: int) -> Run:
    x, y = make_data(work)
    x, y = x.to(DEVICE), {side: column.to(DEVICE) for side, column in y.items()}

    def run(epochs: int, shuffle: bool = True) -> list[float]:
        torch.set_num_threads(threads)
        network = make_network(work).to(DEVICE)
        optimizer = make_optimizer(network)
        logs: list[float] = []
        for _ in range(epochs):
            order = torch.randperm(work.rows, device=DEVICE) if shuffle else torch.arange(work.rows, device=DEVICE)
            sums = torch.zeros(1 + len(y), device=DEVICE)
            for rows in order.split(work.batch):
                labels = {side: column[rows] for side, column in y.items()}
                loss, accuracies = logs_of(network(x[rows]), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                sums += torch.stack([loss.detach(), *accuracies])
            logs = (sums / work.steps).tolist()
        return logs

    return run


def _fill(module: nn.Module, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            _fill(getattr(module, name), value)
        else:
            axes = {"w": {2: (1, 0), 4: (3, 2, 0, 1)}}.get(name, {}).get(value.ndim)
            getattr(module, NAMES[name]).copy_(torch.from_numpy(value if axes is None else value.transpose(axes)))
