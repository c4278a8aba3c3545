"""Served forecaster: models that are saved while hosts are followed, and after a restart."""

import numpy as np
import pytest

from model.forecast.serialization import bundled_pretrained_model, dumps_pretrained
from model.forecast.serialization.own_models import dumps_own
from monitor.fleet.forecasting.served_forecaster import ServedForecaster
from monitor.fleet.interfaces import FleetSample
from monitor.fleet.model_directory import ModelDirectory
from tests.unit.monitor.fleet.fleet_models import make_own, make_predictor

pytestmark = pytest.mark.unit

START = 1.7e9 // 60 * 60


def make_sample(number, hosts=("a", "b")):
    return FleetSample(START + 60 * number, hosts, np.full((len(hosts), 2), 0.5))


def test_saved_models_serve_from_the_next_step_on(tmp_path):
    directory = ModelDirectory(tmp_path)
    predictor = make_predictor()
    forecaster = ServedForecaster(predictor, directory)
    assert forecaster.advance(make_sample(0)).models == ("pretrained", "pretrained")
    directory.save_pooled(dumps_pretrained(bundled_pretrained_model(), {}))
    assert forecaster.advance(make_sample(1)).models == ("pooled", "pooled")
    directory.save_own("b", dumps_own(make_own(predictor, bias=-3.0)))
    forecast = forecaster.advance(make_sample(2))
    assert forecast.models == ("pooled", "own")
    np.testing.assert_allclose(forecast.probabilities[1], 1 / (1 + np.exp(3.0)), rtol=1e-5)
    directory.save_own("b", dumps_own(make_own(predictor, bias=-1.0)))
    np.testing.assert_allclose(forecaster.advance(make_sample(3)).probabilities[1], 1 / (1 + np.exp(1.0)), rtol=1e-5)


def test_new_forecaster_serves_the_saved_models(tmp_path):
    directory = ModelDirectory(tmp_path)
    predictor = make_predictor()
    directory.save_own("b", dumps_own(make_own(predictor)))
    forecaster = ServedForecaster(predictor, directory)
    forecaster.advance(make_sample(0))
    assert forecaster.advance(make_sample(1)).models == ("pretrained", "own")
    forecaster.remove(["b"])
    assert forecaster.hosts == ("a",)
    forecaster.advance(make_sample(2))
    assert forecaster.advance(make_sample(3)).models == ("pretrained", "own")


def test_removed_own_model_returns_the_host_to_the_shared_model(tmp_path):
    directory = ModelDirectory(tmp_path)
    predictor = make_predictor()
    directory.save_own("b", dumps_own(make_own(predictor)))
    forecaster = ServedForecaster(predictor, directory)
    forecaster.advance(make_sample(0))
    directory.remove_own("b")
    assert forecaster.advance(make_sample(1)).models == ("pretrained", "pretrained")
