"""Settings of the ensemble recipe and of the promotion gate."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.nn.fit_config import FitConfig


@dataclass(frozen=True)
class Recipe:
    """What network is made, and how it is fitted.

    Attributes:
        networks: how many there are; what they say is averaged.
        layers: units of each hidden layer.
        activation: one of ACTIVATIONS, between the layers.
        dropout: share of the hidden units left out at each step.
        fit: how it is fitted; its batch size is the most rows a step.
    """

    networks: int = 8
    layers: tuple[int, ...] = (64, 32)
    activation: str = "relu"
    dropout: float = 0.15
    fit: FitConfig = field(default_factory=lambda: FitConfig(patience=0, keep_best=False))

    @property
    def epochs(self) -> int:
        """Epochs of a whole training at most: each network is fitted twice, to be judged and to serve."""
        return 2 * self.networks * self.fit.epochs


@dataclass(frozen=True)
class GateConfig:
    """When a candidate may serve.

    `margin` is in standard errors of the difference, `min_skill` the Brier skill over the base rate.
    """

    margin: float = 1.0
    min_skill: float = 0.0
