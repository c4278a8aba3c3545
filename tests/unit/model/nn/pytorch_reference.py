"""Equal trainings in this library and in PyTorch; the results of PyTorch are recorded in tests/golden/nn/pytorch.npz.

`python tests/unit/model/nn/pytorch_reference.py` records them again and needs torch.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[4]))

from model.nn.data import Examples
from model.nn.fit_config import FitConfig
from model.nn.layers import Dropout, Linear
from model.nn.losses import MSE, BCEWithLogits, CrossEntropyWithLogits, Huber, Loss, Pinball
from model.nn.losses.classification import encode_classes
from model.nn.network import Network, mlp
from model.nn.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from model.nn.training import Training

GOLDEN = Path(__file__).parents[3] / "golden" / "nn" / "pytorch.npz"

ROWS = 64
BATCH_SIZE = 13
EPOCHS = 20
"""Twenty epochs of five batches, the last of which is smaller: a hundred steps."""

SIZES = (5, 8, 6, 3)
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Case:
    """Settings of one training."""

    optimizer: Optimizer = field(default_factory=Adam)
    learning_rate: float = 0.01
    activation: str = "relu"
    dropout: float = 0.0
    loss: Loss = field(default_factory=BCEWithLogits)
    regularization: dict[str, float] = field(default_factory=dict)
    near_kink: bool = False
    """True if a kink of ReLU or of the loss is passed at a distance below the rounding error of float32."""


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
    "l1": Case(regularization={"l1": 0.01}),
    "l2": Case(SGD(0.9), 0.05, regularization={"l2": 0.1}),
    "clip by norm": Case(SGD(0.9), 0.05, regularization={"gradient_clip": 0.1}),
    "clip by value": Case(SGD(0.9), 0.05, regularization={"gradient_clip_value": 0.01}, near_kink=True),
}


def training_examples(case: Case, dtype: Any) -> Examples:
    """Return the examples of a case."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(ROWS, SIZES[0]))
    score = np.tanh(x[:, :3] + x[:, 1:4] * x[:, 2:5])
    if isinstance(case.loss, CrossEntropyWithLogits):
        y = encode_classes(score.argmax(axis=1), 3).astype(float)
    elif isinstance(case.loss, BCEWithLogits):
        y = (score > 0).astype(float)
    else:
        y = score
    return Examples(x.astype(dtype), y.astype(dtype))


def initial_network(case: Case, dtype: Any) -> Network:
    """Return the network before the training."""
    return mlp(SIZES, np.random.default_rng(12), activation=case.activation, dropout=case.dropout, dtype=dtype)


def train_in_library(case: Case, dtype: Any) -> np.ndarray:
    """Return the parameters after a hundred steps of this library."""
    network = initial_network(case, dtype)
    config = FitConfig(
        optimizer=case.optimizer,
        learning_rate=case.learning_rate,
        schedule="constant",
        epochs=EPOCHS,
        batch_size=BATCH_SIZE,
        gradient_clip=0,
    )
    config = replace(config, **case.regularization)
    Training(network, case.loss, training_examples(case, dtype), None, config, np.random.default_rng(13)).run()
    return _concatenate(network.parameters())


def train_in_pytorch(case: Case, dtype: Any) -> np.ndarray:
    """Return the parameters after a hundred steps of PyTorch with the same order of rows and dropout masks."""
    import torch  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    torch.set_num_threads(1)
    network = initial_network(case, dtype)
    examples = training_examples(case, dtype)
    rng = np.random.default_rng(13)
    parameters = {
        name: torch.tensor(value.copy(), requires_grad=True) for name, value in network.parameters().items()
    }
    weights = [value for name, value in parameters.items() if name.endswith("weight")]
    biases = [value for name, value in parameters.items() if name.endswith("bias")]
    optimizer = _pytorch_optimizer(torch.optim, case, weights, biases)
    activation = {
        "relu": torch.relu,
        "leaky_relu": lambda z: functional.leaky_relu(z, 0.01),
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
    }[case.activation]
    x, y = torch.tensor(examples.x), torch.tensor(examples.y)
    for _ in range(EPOCHS):
        order = rng.permutation(ROWS)
        for first in range(0, ROWS, BATCH_SIZE):
            rows = order[first : first + BATCH_SIZE]
            z = x[rows]
            for i, layer in enumerate(network.layers):
                if isinstance(layer, Linear):
                    z = z @ parameters[f"{i}.weight"] + parameters[f"{i}.bias"]
                elif isinstance(layer, Dropout):
                    z = z * torch.tensor(layer.mask(np.empty(z.shape, dtype), rng))
                else:
                    z = activation(z)
            loss = _pytorch_loss(torch, functional, case.loss, z, y[rows])
            loss = loss + case.regularization.get("l1", 0.0) * sum(weight.abs().sum() for weight in weights)
            optimizer.zero_grad()
            loss.backward()
            _pytorch_clip(torch, case, [*weights, *biases])
            optimizer.step()
    return _concatenate({name: value.detach().numpy() for name, value in parameters.items()})


def _pytorch_optimizer(optim: Any, case: Case, weights: list[Any], biases: list[Any]) -> Any:
    optimizer = case.optimizer
    decay = optimizer.weight_decay if isinstance(optimizer, AdamW) else case.regularization.get("l2", 0.0)
    groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
    match optimizer:
        case SGD():
            return optim.SGD(groups, lr=case.learning_rate, momentum=optimizer.momentum, nesterov=optimizer.nesterov)
        case RMSprop():
            return optim.RMSprop(groups, lr=case.learning_rate, alpha=0.99, eps=1e-8)
        case AdamW():
            return optim.AdamW(groups, lr=case.learning_rate)
    return optim.Adam(groups, lr=case.learning_rate)


def _pytorch_loss(torch: Any, functional: Any, loss: Loss, z: Any, y: Any) -> Any:
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


def _pytorch_clip(torch: Any, case: Case, parameters: list[Any]) -> None:
    max_norm = case.regularization.get("gradient_clip", 0.0)
    if max_norm:
        # clip_grad_norm_ adds 1e-6 to the norm, this library does not.
        norm = torch.linalg.vector_norm(torch.cat([p.grad.ravel() for p in parameters]))
        for p in parameters:
            p.grad.mul_(torch.clamp(max_norm / norm, max=1.0))
    max_value = case.regularization.get("gradient_clip_value", 0.0)
    if max_value:
        torch.nn.utils.clip_grad_value_(parameters, max_value)


def _concatenate(parameters: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([value.ravel() for value in parameters.values()])


def record_key(name: str, dtype: Any) -> str:
    """Return the name of a case in the recorded file."""
    return f"{name}/{np.dtype(dtype).name}"


if __name__ == "__main__":
    records = {
        record_key(name, dtype): train_in_pytorch(case, dtype)
        for name, case in CASES.items()
        for dtype in (np.float32, np.float64)
    }
    np.savez_compressed(GOLDEN, **records)
    print(f"{len(records)} trainings recorded, {GOLDEN.stat().st_size} bytes")  # noqa: T201
