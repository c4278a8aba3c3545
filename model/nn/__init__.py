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
    from model.nn.initializers import INITIALIZERS, initialize_output_bias
    from model.nn.layers import Dropout, Layer, Linear
    from model.nn.losses import LOSSES, MSE, BCEWithLogits, CrossEntropyWithLogits, Huber, Loss, Pinball
    from model.nn.losses.classification import encode_classes
    from model.nn.network import Network, mlp
    from model.nn.numerics import logit, sigmoid, softmax, softplus
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
    from model.nn.training import Training, fit

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

_MODULES = (
    "layers",
    "activations",
    "numerics",
    "network",
    "serialization",
    "initializers",
    "losses",
    "losses.classification",
    "data",
    "regularizers",
    "optimizers",
    "schedules",
    "fit_config",
    "diagnostics.gradient_health",
    "diagnostics.fit_report",
    "diagnostics.gradient_check",
    "checkpoint",
    "training",
)
"""Modules that define the public names, in search order: modules for prediction come first."""


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562)."""
    if name in __all__:
        for module in _MODULES:
            names = vars(importlib.import_module(f"{__name__}.{module}"))
            if name in names:
                globals()[name] = names[name]
                return names[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
