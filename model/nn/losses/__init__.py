"""Loss functions: classification and regression losses, each fused with its output activation."""

from model.nn.losses.base import Loss, Targets
from model.nn.losses.classification import BCEWithLogits, CrossEntropyWithLogits
from model.nn.losses.regression import MSE, Huber, Pinball

__all__ = ["LOSSES", "MSE", "BCEWithLogits", "CrossEntropyWithLogits", "Huber", "Loss", "Pinball", "Targets"]

LOSSES: dict[str, type[Loss]] = {
    "bce": BCEWithLogits,
    "cross_entropy": CrossEntropyWithLogits,
    "mse": MSE,
    "huber": Huber,
    "pinball": Pinball,
}
"""Loss classes by name."""
