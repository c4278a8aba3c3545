"""Neural-network library in NumPy: networks, losses, optimizers, training and diagnostics.

The public names are imported on first use: a process that only predicts does not load the training modules.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.nn.activations import ACTIVATIONS, Activation, LeakyReLU, ReLU, Sigmoid, Tanh
    from model.nn.checkpoint import Checkpoint, dump_checkpoint, load_checkpoint
    from model.nn.data import Examples
    from model.nn.diagnostics.fit_report import Epoch, FitReport, combine_reports
    from model.nn.diagnostics.gradient_check import check_gradients, numerical_gradient
    from model.nn.diagnostics.gradient_health import (
        GradientHealth,
        GradientState,
        Issue,
        IssueKind,
        LayerHealth,
        ParameterHealth,
    )
    from model.nn.fit_config import FitConfig
    from model.nn.initializers import INITIALIZERS
    from model.nn.layers import Dropout, Layer, Linear
    from model.nn.losses import LOSSES, MSE, BCEWithLogits, CrossEntropyWithLogits, Huber, Loss, Pinball
    from model.nn.network import Network, mlp
    from model.nn.numerics import encode_classes, logit, sigmoid, softmax, softplus
    from model.nn.optimizers import OPTIMIZERS, SGD, Adam, AdamW, Optimizer, RMSprop
    from model.nn.regularizers import Penalty, clip_norm, clip_value
    from model.nn.schedules import (
        SCHEDULES,
        Constant,
        Cosine,
        Exponential,
        ReduceOnPlateau,
        Schedule,
        StepDecay,
        WarmUp,
    )
    from model.nn.serialization import dump_network, load_network
    from model.nn.training import Training, fit, initialize_output_bias

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "LOSSES",
    "MSE",
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "Activation",
    "Adam",
    "AdamW",
    "BCEWithLogits",
    "Checkpoint",
    "Constant",
    "Cosine",
    "CrossEntropyWithLogits",
    "Dropout",
    "Epoch",
    "Examples",
    "Exponential",
    "FitConfig",
    "FitReport",
    "GradientHealth",
    "GradientState",
    "Huber",
    "Issue",
    "IssueKind",
    "Layer",
    "LayerHealth",
    "LeakyReLU",
    "Linear",
    "Loss",
    "Network",
    "Optimizer",
    "ParameterHealth",
    "Penalty",
    "Pinball",
    "RMSprop",
    "ReLU",
    "ReduceOnPlateau",
    "Schedule",
    "Sigmoid",
    "StepDecay",
    "Tanh",
    "Training",
    "WarmUp",
    "check_gradients",
    "clip_norm",
    "clip_value",
    "combine_reports",
    "dump_checkpoint",
    "dump_network",
    "encode_classes",
    "fit",
    "initialize_output_bias",
    "load_checkpoint",
    "load_network",
    "logit",
    "mlp",
    "numerical_gradient",
    "sigmoid",
    "softmax",
    "softplus",
]

_NAMES = {
    "activations": "ACTIVATIONS Activation LeakyReLU ReLU Sigmoid Tanh",
    "checkpoint": "Checkpoint dump_checkpoint load_checkpoint",
    "data": "Examples",
    "diagnostics.fit_report": "Epoch FitReport combine_reports",
    "diagnostics.gradient_check": "check_gradients numerical_gradient",
    "diagnostics.gradient_health": "GradientHealth GradientState Issue IssueKind LayerHealth ParameterHealth",
    "fit_config": "FitConfig",
    "initializers": "INITIALIZERS",
    "layers": "Dropout Layer Linear",
    "losses": "LOSSES MSE BCEWithLogits CrossEntropyWithLogits Huber Loss Pinball",
    "network": "Network mlp",
    "numerics": "logit encode_classes sigmoid softmax softplus",
    "optimizers": "OPTIMIZERS SGD Adam AdamW Optimizer RMSprop",
    "regularizers": "Penalty clip_norm clip_value",
    "schedules": "SCHEDULES Constant Cosine Exponential ReduceOnPlateau Schedule StepDecay WarmUp",
    "serialization": "dump_network load_network",
    "training": "Training fit initialize_output_bias",
}
"""Public names by module."""

_MODULES = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
