"""Model directory: saved models, versions, and files that cannot be used."""

from dataclasses import replace

import pytest

from model.forecast.serialization import bundled_pretrained_model, dumps_pretrained
from model.forecast.serialization.own_models import dumps_own
from monitor.config.loader import Config
from monitor.config.schema import StorageSection
from monitor.fleet.model_directory import ModelDirectory, model_directory

from .fleet_models import make_own, make_predictor

pytestmark = pytest.mark.unit


def test_saved_models_are_loaded(tmp_path):
    directory = ModelDirectory(tmp_path / "models")
    predictor = make_predictor()
    assert (directory.version, directory.pooled(), directory.own("a/b", predictor)) == (0, None, None)
    pooled = dumps_pretrained(bundled_pretrained_model(), {})
    directory.save_pooled(pooled)
    first = directory.version
    directory.save_own("a/b", dumps_own(make_own(predictor)))
    assert directory.version > first > 0
    assert directory.pooled_bytes() == pooled
    assert directory.own("a/b", predictor).output.shape == (4, 3)
    directory.remove_own("a/b")
    assert directory.own_version("a/b") == 0


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_damaged_file_is_no_model(tmp_path, content):
    directory = ModelDirectory(tmp_path)
    directory.save_pooled(content)
    directory.save_own("a", content)
    assert directory.pooled() is directory.pooled_bytes() is None
    assert directory.own("a", make_predictor()) is None


def test_own_model_with_other_features_is_no_model(tmp_path):
    directory = ModelDirectory(tmp_path)
    predictor = make_predictor()
    directory.save_own("a", dumps_own(make_own(predictor)))
    assert directory.own("a", replace(predictor, horizons=(300.0,))) is None


def test_each_task_has_its_own_directory(tmp_path):
    config = replace(Config(), storage=StorageSection(url=f"sqlite:///{tmp_path}/monitor.db"))
    other = replace(config, high_load=replace(config.high_load, sustained=120.0))
    for step, task in ((60.0, config), (60.0, other), (30.0, config)):
        model_directory(task, step).save_pooled(b"model")
    assert len(list((tmp_path / "fleet-models").iterdir())) == 3
