"""The same trainings here and in PyTorch: where they end is kept in tests/golden/reference.npz.

`python tests/unit/model/reference.py` records it anew and needs torch.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))

from model.nn.fit_config import FitConfig
from model.nn.layers import Dropout, Linear
from model.nn.losses import MSE, BCEWithLogits, CrossEntropyWithLogits, Huber, Loss, Pinball
from model.nn.network import Network, mlp
from model.nn.numerics import one_hot
from model.nn.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from model.nn.training import Examples, Training

GOLDEN = Path(__file__).parents[2] / "golden" / "reference.npz"

ROWS, BATCH, EPOCHS, SIZES = 64, 13, 20, (5, 8, 6, 3)
"""Twenty epochs of five batches, the last of which is smaller: a hundred steps."""

QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Case:
    """One training; all else is the same in each."""

    optimizer: Optimizer = field(default_factory=Adam)
    rate: float = 0.01
    activation: str = "relu"
    dropout: float = 0.0
    loss: Loss = field(default_factory=BCEWithLogits)
    fit: dict[str, float] = field(default_factory=dict)
    near_kink: bool = False
    """The trajectory passes a kink (of ReLU or of the loss) at a distance below the rounding error of float32."""


CASES = {
    "sgd": Case(SGD(), 0.1),
    "momentum": Case(SGD(0.9), 0.05),
    "nesterov": Case(SGD(0.9, nesterov=True), 0.05),
    "rmsprop": Case(RMSprop()),
    "adam": Case(),
    "adamw": Case(AdamW(weight_decay=0.1)),
    "leaky_relu": Case(activation="leaky_relu"),
    "tanh": Case(activation="tanh"),
    "sigmoid": Case(activation="sigmoid"),
    "class weight": Case(loss=BCEWithLogits(positive_weight=3.0)),
    "cross_entropy": Case(loss=CrossEntropyWithLogits()),
    "mse": Case(loss=MSE()),
    "huber": Case(loss=Huber(0.5)),
    "pinball": Case(loss=Pinball(QUANTILES), near_kink=True),
    "dropout": Case(activation="tanh", dropout=0.3),
    "l1": Case(fit={"l1": 0.01}),
    "l2": Case(SGD(0.9), 0.05, fit={"l2": 0.1}),
    "clip by norm": Case(SGD(0.9), 0.05, fit={"gradient_clip": 0.1}),
    "clip by value": Case(SGD(0.9), 0.05, fit={"gradient_clip_value": 0.01}, near_kink=True),
}


def data(case: Case, dtype: Any) -> Examples:
    """The rows to learn."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(ROWS, SIZES[0]))
    score = np.tanh(x[:, :3] + x[:, 1:4] * x[:, 2:5])
    if isinstance(case.loss, CrossEntropyWithLogits):
        y = one_hot(score.argmax(axis=1), 3).astype(float)
    else:
        y = (score > 0).astype(float) if isinstance(case.loss, BCEWithLogits) else score
    return Examples(x.astype(dtype), y.astype(dtype))


def start(case: Case, dtype: Any) -> Network:
    """The network that both begin with."""
    return mlp(SIZES, np.random.default_rng(12), activation=case.activation, dropout=case.dropout, dtype=dtype)


def ours(case: Case, dtype: Any) -> dict[str, np.ndarray]:
    """The parameters after a hundred steps here."""
    network = start(case, dtype)
    config = FitConfig(
        optimizer=case.optimizer, learning_rate=case.rate, schedule="constant", epochs=EPOCHS, batch_size=BATCH,
        gradient_clip=0,
    )  # fmt: skip
    config = replace(config, **case.fit)
    Training(network, case.loss, data(case, dtype), None, config, np.random.default_rng(13)).run()
    return network.parameters()


def theirs(case: Case, dtype: Any) -> dict[str, np.ndarray]:
    """The parameters after a hundred steps in PyTorch, with the same order of rows and the same dropout masks."""
    import torch  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    torch.set_num_threads(1)
    network, part, rng = start(case, dtype), data(case, dtype), np.random.default_rng(13)
    named = {name: torch.tensor(value.copy(), requires_grad=True) for name, value in network.parameters().items()}
    weights = [value for name, value in named.items() if name.endswith("weight")]
    biases = [value for name, value in named.items() if name.endswith("bias")]
    optimizer = _torch_optimizer(torch.optim, case, weights, biases)
    bend = {
        "relu": torch.relu,
        "leaky_relu": lambda z: functional.leaky_relu(z, 0.01),
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
    }[case.activation]
    x, y = torch.tensor(part.x), torch.tensor(part.y)
    for _ in range(EPOCHS):
        order = rng.permutation(ROWS)
        for first in range(0, ROWS, BATCH):
            rows = order[first : first + BATCH]
            z = x[rows]
            for i, layer in enumerate(network.layers):
                if isinstance(layer, Linear):
                    z = z @ named[f"{i}.weight"] + named[f"{i}.bias"]
                elif isinstance(layer, Dropout):
                    z = z * torch.tensor(layer.mask(np.empty(z.shape, dtype), rng))
                else:
                    z = bend(z)
            loss = _torch_loss(torch, functional, case.loss, z, y[rows])
            loss = loss + case.fit.get("l1", 0.0) * sum(weight.abs().sum() for weight in weights)
            optimizer.zero_grad()
            loss.backward()
            _torch_clip(torch, case, [*weights, *biases])
            optimizer.step()
    return {name: value.detach().numpy() for name, value in named.items()}


def _torch_optimizer(optim: Any, case: Case, weights: list[Any], biases: list[Any]) -> Any:
    own = case.optimizer
    decay = own.weight_decay if isinstance(own, AdamW) else case.fit.get("l2", 0.0)
    groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
    match own:
        case SGD():
            return optim.SGD(groups, lr=case.rate, momentum=own.momentum, nesterov=own.nesterov)
        case RMSprop():
            return optim.RMSprop(groups, lr=case.rate, alpha=0.99, eps=1e-8)
        case AdamW():
            return optim.AdamW(groups, lr=case.rate)
    return optim.Adam(groups, lr=case.rate)


def _torch_loss(torch: Any, functional: Any, loss: Loss, z: Any, y: Any) -> Any:
    match loss:
        case BCEWithLogits():
            weight = torch.tensor(loss.positive_weight, dtype=z.dtype)
            return functional.binary_cross_entropy_with_logits(z, y, pos_weight=weight)
        case CrossEntropyWithLogits():
            return functional.cross_entropy(z, y)
        case MSE():
            return functional.mse_loss(z, y)
        case Huber():
            return functional.huber_loss(z, y, delta=loss.delta)
    q = torch.tensor(QUANTILES, dtype=z.dtype)
    return torch.maximum(q * (y - z), (q - 1) * (y - z)).mean()


def _torch_clip(torch: Any, case: Case, parameters: list[Any]) -> None:
    limit = case.fit.get("gradient_clip", 0.0)
    if limit:
        # clip_grad_norm_ adds 1e-6 to the norm; here the norm is brought to the limit itself
        norm = torch.linalg.vector_norm(torch.cat([p.grad.ravel() for p in parameters]))
        for p in parameters:
            p.grad.mul_(torch.clamp(limit / norm, max=1.0))
    if case.fit.get("gradient_clip_value"):
        torch.nn.utils.clip_grad_value_(parameters, case.fit["gradient_clip_value"])


def key(name: str, dtype: Any) -> str:
    """Of a case in the file."""
    return f"{name}/{np.dtype(dtype).name}"


def flattened(parameters: dict[str, np.ndarray]) -> np.ndarray:
    """In order of the names."""
    return np.concatenate([value.ravel() for value in parameters.values()])


if __name__ == "__main__":
    found = {
        key(name, dtype): flattened(theirs(case, dtype))
        for name, case in CASES.items()
        for dtype in (np.float32, np.float64)
    }
    np.savez_compressed(GOLDEN, **found)
    print(f"{len(found)} trainings recorded, {GOLDEN.stat().st_size} bytes")  # noqa: T201
