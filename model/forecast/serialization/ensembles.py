"""Serialization of ensembles: header entries and arrays of predictors and of the pretrained model."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.array_types import Floats, Integers
from model.features.encoding import Encoding
from model.features.scaling import Scaler
from model.forecast.ensemble import Ensemble
from model.nn.serialization import build_network, describe_layer, named_arrays, require_finite
from model.trees.boosted_trees import BoostedTrees

FORMAT, OLDEST_FORMAT = 4, 2
"""Newest and oldest supported format.

Format 3 adds training ranges and persistence models to format 2, format 4 the load limit, encoded networks
and trees.
"""


TREE_ARRAYS = ("thresholds", "values", "bias")
"""Attributes of trees that are stored as arrays; the positions of the inputs are in the header."""


def describe_ensemble(ensemble: Ensemble, prefix: str) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return the header entries of an ensemble and its arrays, whose names start with `prefix`."""
    arrays = {f"{prefix}scaler.{name}": array for name, array in ensemble.scaler.arrays().items()}
    networks = []
    for i, (network, columns) in enumerate(zip(ensemble.networks, ensemble.columns, strict=True)):
        arrays |= named_arrays(network, f"{prefix}network.{i}.")
        networks.append({"layers": [describe_layer(layer) for layer in network.layers], "columns": columns.tolist()})
    header: dict[str, Any] = {"networks": networks, "picked": _to_list(ensemble.selected)}
    if ensemble.mean_of_probabilities:
        header["mean_of_probabilities"] = True
    if ensemble.encoding is not None:
        header["encoded"] = _to_list(ensemble.encoding.inputs)
        arrays |= {f"{prefix}encoding.{name}": getattr(ensemble.encoding, name) for name in ("low", "high")}
    if ensemble.trees is not None:
        header["trees"] = ensemble.trees.inputs.tolist()
        arrays |= {f"{prefix}trees.{name}": getattr(ensemble.trees, name) for name in TREE_ARRAYS}
    return header, arrays


def _to_list(positions: Integers | None) -> list[int] | None:
    return None if positions is None else positions.tolist()


def build_ensemble(header: dict[str, Any], arrays: dict[str, Floats], prefix: str) -> Ensemble:
    """Return the ensemble from the header entries and arrays of `describe_ensemble`."""
    networks = tuple(
        build_network(raw["layers"], arrays, f"{prefix}network.{i}.") for i, raw in enumerate(header["networks"])
    )
    columns = tuple(np.array(raw["columns"], dtype=np.intp) for raw in header["networks"])
    selected = None if header["picked"] is None else np.array(header["picked"], dtype=np.intp)
    ranges = (arrays.get(f"{prefix}scaler.{name}") for name in ("low", "high"))
    scaler = Scaler(arrays[f"{prefix}scaler.mean"], arrays[f"{prefix}scaler.deviation"], *ranges)
    encoding = None
    if "encoded" in header:
        knots = (arrays[f"{prefix}encoding.{name}"] for name in ("low", "high"))
        encoding = Encoding(np.array(header["encoded"], dtype=np.intp), *knots)
    trees = None
    if "trees" in header:
        trees = BoostedTrees(
            np.array(header["trees"], dtype=np.intp), *(arrays[f"{prefix}trees.{name}"] for name in TREE_ARRAYS)
        )
    return Ensemble(
        scaler=scaler,
        networks=networks,
        columns=columns,
        selected=selected,
        encoding=encoding,
        mean_of_probabilities=bool(header.get("mean_of_probabilities", False)),
        trees=trees,
    )


def check_ensemble(ensemble: Ensemble, features: int) -> int:
    """Check the shapes and values of an ensemble, and return its number of outputs.

    Args:
        ensemble: ensemble read from bytes.
        features: number of features of the samples to predict.

    Raises:
        ValueError: the parts do not fit together, or do not fit the features.
        SerializationError: a number is not finite.
    """
    outputs = ensemble.outputs(features)
    if ensemble.encoding is not None:
        require_finite(ensemble.encoding.low, ensemble.encoding.high)
    if ensemble.trees is not None:
        require_finite(*(getattr(ensemble.trees, name) for name in TREE_ARRAYS))
    require_finite(*ensemble.scaler.arrays().values(), *(network.flat for network in ensemble.networks))
    return outputs
