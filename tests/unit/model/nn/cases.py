"""Losses, examples and trainings that several tests use."""

import numpy as np

from model.nn.data import Examples
from model.nn.fit_config import FitConfig
from model.nn.losses import MSE, BCEWithLogits, CrossEntropyWithLogits, Huber, Pinball
from model.nn.losses.classification import encode_classes
from model.nn.network import mlp
from model.nn.training import Training

CONFIG = FitConfig(epochs=30, batch_size=16, learning_rate=0.01)

LOSS_CASES = {
    "bce": BCEWithLogits(),
    "bce weighted": BCEWithLogits(positive_weight=3.0),
    "cross_entropy": CrossEntropyWithLogits(),
    "mse": MSE(),
    "huber": Huber(delta=0.4),
    "pinball": Pinball((0.1, 0.5, 0.9)),
}


def random_labels(loss, rng, rows=9, outputs=3):
    """Return valid labels (rows, outputs) of which one is unknown."""
    if isinstance(loss, CrossEntropyWithLogits):
        y = encode_classes(rng.integers(0, outputs, rows), outputs).astype(float)
    elif isinstance(loss, BCEWithLogits):
        y = rng.integers(0, 2, (rows, outputs)).astype(float)
    else:
        y = rng.normal(size=(rows, outputs))
    y[3, 0] = np.nan
    return y


def xor_examples(rows=1200):
    """Return training and validation examples of a problem that is not linearly separable."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 2)).astype(np.float32)
    y = ((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype(np.float32)[:, None]
    half = rows // 2
    return Examples(x[:half], y[:half]), Examples(x[half:], y[half:])


def new_training(train, validation, config=CONFIG, seed=0, loss=None, sizes=(2, 8, 1), **network_settings):
    """Return a training of a small network."""
    rng = np.random.default_rng(seed)
    network = mlp(sizes, rng, **network_settings)
    return Training(network, loss or BCEWithLogits(), train, validation, config, rng)


def issue_kinds(report):
    """Return the kinds of the issues that a fit report lists."""
    return [issue.kind for issue in report.health.issues]
