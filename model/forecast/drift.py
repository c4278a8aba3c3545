"""How far inputs have left those that a model has learned from: the population stability index.

PSI = sum over bins of (a - e) ln(a / e), with e the share of the training and a that of today in each tenth of the
training. By custom up to 0.1 is nothing, and more than 0.25 another distribution (Siddiqi 2006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from model.array_types import Floats

BINS = 10
RAREST = 1e-3
"""The smallest share that a bin is taken to have: an empty one says no more than that."""

ReferenceHistogram = Mapping[str, Sequence[float]]
"""The inner edges of the bins and the share of each, of one metric in training."""


def reference_histogram(values: Floats) -> dict[str, list[float]]:
    """The bins of one metric (rows,), NaN where missing; fewer than ten where values repeat much."""
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if known.size else np.empty(0)
    return {"edges": edges.tolist(), "shares": _shares(known, edges).tolist()}


def population_stability_index(values: Floats, of: ReferenceHistogram) -> float:
    """PSI of values (rows,) against a reference; NaN where no value is known."""
    known = values[~np.isnan(values)]
    if not known.size:
        return float("nan")
    now, then = (
        np.maximum(shares, RAREST) for shares in (_shares(known, np.array(of["edges"])), np.array(of["shares"]))
    )
    return float(np.sum((now - then) * np.log(now / then)))


def _shares(known: Floats, edges: Floats) -> Floats:
    count = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return np.asarray(count / max(len(known), 1))
