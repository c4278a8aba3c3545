"""Input drift: the population stability index of live inputs against training inputs.

PSI = sum over bins of (a - e) ln(a / e), where e and a are the relative frequencies of a bin in the training values
and in the live values. A bin holds about a tenth of the training values. A PSI up to 0.1 is negligible; above 0.25
the distribution has changed (Siddiqi 2006).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats

HISTOGRAM_BINS = 10

MIN_FREQUENCY = 1e-3
"""Lower limit of relative frequencies in the PSI, which would be infinite for an empty bin."""


@dataclass(frozen=True)
class ReferenceHistogram:
    """Histogram of one metric in the training data.

    Attributes:
        edges: inner edges of the bins, increasing.
        frequencies: relative frequency of each of the len(edges) + 1 bins.
    """

    edges: tuple[float, ...]
    frequencies: tuple[float, ...]


def reference_histogram(values: Floats) -> ReferenceHistogram:
    """Return the histogram of one metric, with about a tenth of the values in each bin.

    Bins whose edges coincide are merged.

    Args:
        values: (rows,), NaN where missing.
    """
    known = values[~np.isnan(values)]
    quantiles = np.arange(1, HISTOGRAM_BINS) / HISTOGRAM_BINS
    edges = np.unique(np.quantile(known, quantiles)) if known.size else np.empty(0)
    return ReferenceHistogram(tuple(edges.tolist()), tuple(_frequencies(known, edges).tolist()))


def population_stability_index(values: Floats, reference: ReferenceHistogram) -> float:
    """Return the PSI of values (rows,) against a reference histogram; NaN if no value is known."""
    known = values[~np.isnan(values)]
    if not known.size:
        return float("nan")
    actual = np.maximum(_frequencies(known, np.array(reference.edges)), MIN_FREQUENCY)
    expected = np.maximum(np.array(reference.frequencies), MIN_FREQUENCY)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def _frequencies(known: Floats, edges: Floats) -> Floats:
    """Return the relative frequency (len(edges) + 1,) of each bin, 0 if there are no values.

    Args:
        known: (n,) values without NaN.
        edges: inner edges of the bins, increasing.
    """
    count = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return np.asarray(count / max(len(known), 1))
