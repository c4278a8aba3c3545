"""Mutations of model archives: damaged bytes, and damaged content with a valid checksum."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from model.anomaly.detector import fit_detector
from model.anomaly.serialization import dumps_detector
from model.errors import SerializationError
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model, dumps
from model.npz import pack
from monitor.config.loader import Config
from monitor.training.bootstrap_model import pretrained_task
from monitor.training.model_archive import ModelArchive, pack_archive
from monitor.training.report import TrainingReport
from storage import SAMPLE_FIELDS
from tests.fuzz.mutations import mutate

EDGE_VALUES = (
    None, True, -1, 0, 2**31, 2**63, 10**400, 1e308, -0.5, "", "x", "\ud800", "9" * 5000, [], [[]], {}, [None],
    {"": 0}, [[1, 2], [3]], ["cpu_usage"] * 1000, {"a": {"b": {"c": []}}},
)  # fmt: skip

EDGE_ARRAYS = (
    np.zeros(0),
    np.zeros((0, 3)),
    np.zeros(()),
    np.zeros((2, 2, 2), np.float32),
    np.full(4, np.nan, np.float32),
    np.full((3, 3), np.inf),
    np.zeros(7, np.uint8),
    np.full(5, 1e300),
)


def archive_seeds() -> dict[str, bytes]:
    """Return a serialized predictor, a serialized detector, and an archive with both, by name."""
    config = Config()
    task = (config.rules, config.high_load.horizons, 5.0, config.warning.precision)
    predictor = dumps(bootstrap_predictor(bundled_pretrained_model(), SAMPLE_FIELDS, *task))
    times = 1.7e9 + 60.0 * np.arange(3 * 1440)
    values = np.full((len(times), len(SAMPLE_FIELDS)), np.nan)
    values[:, 0] = 0.3 + 0.1 * np.random.default_rng(0).random(len(times))
    detector = dumps_detector(fit_detector(times, values, SAMPLE_FIELDS, 60.0))
    report = TrainingReport(from_=1.7e9, to=1.7e9, samples=0, pretrained=pretrained_task(config))
    archive = pack_archive(ModelArchive(predictor, detector, report, 1.7e9, "host"))
    return {"predictor": predictor, "detector": detector, "archive": archive}


def mutate_archive(random: Random, seeds: Sequence[bytes]) -> bytes:
    """Return an archive with damaged bytes, or one whose checksum fits its damaged content."""
    if random.random() < 0.3:
        return mutate(random, seeds)
    with np.load(io.BytesIO(random.choice(seeds))) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(arrays.pop("header").tobytes())
    del header["sha256"]
    for _ in range(random.choice((1, 1, 2, 3))):
        if arrays and random.random() < 0.4:
            _mutate_array(random, arrays)
        else:
            _mutate_value(random, header)
    try:
        return pack(header, arrays)
    except (ValueError, SerializationError):
        return mutate(random, seeds)


def _mutate_array(random: Random, arrays: dict[str, Any]) -> None:
    name = random.choice(sorted(arrays))
    value = arrays[name]
    choice = random.randrange(5)
    if choice == 0:
        del arrays[name]
    elif choice == 1:
        arrays[name] = random.choice(EDGE_ARRAYS)
    elif choice == 2 and value.size:
        flat = value.copy().reshape(-1)
        flat[random.randrange(flat.size)] = (
            255 if value.dtype == np.uint8 else random.choice((np.nan, np.inf, 1e38, -1e38))
        )
        arrays[name] = flat.reshape(value.shape)
    elif choice == 3:
        arrays[name] = value.reshape(-1)[: random.randint(0, value.size)]
    else:
        arrays[f"{name}.more"] = value


def _mutate_value(random: Random, tree: Any) -> None:
    """Replace, delete or add one value anywhere in a tree of JSON data."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            return
        key = random.choice(keys)
        if isinstance(tree[key], dict | list) and tree[key] and random.random() < 0.7:
            tree = tree[key]
            continue
        choice = random.randrange(4)
        if choice == 0:
            del tree[key]
        elif choice == 1 and isinstance(tree, list):
            tree.append(tree[key])
        elif choice == 2 and isinstance(tree, dict):
            tree[f"{key}_"] = tree[key]
        else:
            tree[key] = random.choice(EDGE_VALUES)
        return
