"""Several networks that look at different things; what they say is the mean of their logits.

One network over everything takes chance for a rhythm where a host has none. Some that see the recent past alone, and
some that see yesterday or the last days beside it, err differently, and their mean errs less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.arrays import Floats, Integers
from model.network import Network


@dataclass(frozen=True)
class Ensemble:
    """Networks, and for each the numbers of the features that it sees."""

    networks: tuple[Network, ...]
    columns: tuple[Integers, ...]

    def predict(self, x: Floats) -> Floats:
        """Scaled features (rows, features) to mean logits (rows, outputs)."""
        logits = [network.predict(part) for network, part in self._parts(x)]
        total = logits[0]
        for more in logits[1:]:
            total = total + more
        return np.asarray(total / len(logits))

    def attribute(self, x: Floats, reference: Floats) -> Floats:
        """Each feature's share (outputs, features) in the mean logits' move from `reference` to `x`, (features,)."""
        shares = np.zeros((self.networks[0].parameters()[self.networks[0].names[-1]].size, len(x)))
        for network, columns in zip(self.networks, self.columns, strict=True):
            shares[:, columns] += network.attribute(x[columns], reference[columns])
        return shares / len(self.networks)

    def _parts(self, x: Floats) -> Iterator[tuple[Network, Floats]]:
        for network, columns in zip(self.networks, self.columns, strict=True):
            yield network, x if len(columns) == x.shape[1] else x[:, columns]
