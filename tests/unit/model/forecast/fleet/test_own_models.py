"""Own models: batched predictions equal those of the single predictors."""

from dataclasses import replace

import numpy as np
import pytest

from model.features.labels import Rules
from model.features.scaling import Scaler
from model.forecast.blend import EMPTY_LOAD_TABLE, HorizonBlend, LoadTable
from model.forecast.calibration import BlendWeights
from model.forecast.ensemble import Ensemble
from model.forecast.fleet.own_models import OwnModels, own_model
from model.forecast.predictor import NETWORK, PRETRAINED
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model
from model.nn.network import mlp

pytestmark = pytest.mark.unit

HORIZONS = (300.0, 900.0, 3600.0)
RULES = Rules(((("cpu_usage", 0.8),),), 60.0)


def make_shared():
    return bootstrap_predictor(bundled_pretrained_model(), ("cpu_usage",), RULES, HORIZONS, 60.0, 0.8)


def make_predictor(rng):
    shared = make_shared()
    features = len(shared.spec.names)
    columns = np.sort(rng.choice(features, 40, replace=False))
    mean = rng.normal(0, 1, features).astype(np.float32)
    scaler = Scaler(mean, rng.uniform(0.5, 2, features).astype(np.float32), mean - 2, mean + 2)
    network = mlp((40, 16, 3), rng, dropout=0.1)

    def weights():
        return BlendWeights(tuple(rng.uniform(0, 1, 3)), float(rng.normal()))

    table = LoadTable(np.sort(rng.uniform(0, 1.2, 7)), np.sort(rng.normal(0, 2, 7)), -1.5)
    tables = (table, LoadTable(np.array([0.5]), np.array([0.3]), 0.2), EMPTY_LOAD_TABLE)
    return replace(
        shared,
        ensemble=Ensemble(scaler, (network,), (columns,), mean_of_probabilities=True),
        blends=tuple(HorizonBlend(values, weights(), weights()) for values in tables),
        pretrained=shared.ensemble,
    )


def test_batched_predictions_equal_those_of_single_predictors():
    rng = np.random.default_rng(1)
    predictors = [make_predictor(rng) for _ in range(4)]
    models = OwnModels().replaced({3 * i: own_model(predictor) for i, predictor in enumerate(predictors)})
    x = rng.normal(0.5, 1, (4, len(predictors[0].spec.names))).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[:, 0] = [0.1, 0.9, 2.0, np.nan]
    x[:, 1] = [0, 1, 1, np.nan]
    shared = make_shared().fused().expert_logits(x)[..., NETWORK]
    probabilities = models.probabilities(x, x[:, 1] == 1, shared)
    for row, predictor in enumerate(predictors):
        expected = predictor.probabilities(x[row : row + 1])[0]
        np.testing.assert_allclose(probabilities[row], expected, rtol=2e-5)
        assert predictor.expert_logits(x[row : row + 1])[0, :, PRETRAINED] == pytest.approx(shared[row], rel=1e-5)


def test_models_are_replaced_and_taken_by_position():
    rng = np.random.default_rng(2)
    first, second = own_model(make_predictor(rng)), own_model(make_predictor(rng))
    models = OwnModels().replaced({5: first, 2: second})
    assert models.hosts.tolist() == [2, 5]
    assert models.replaced({2: None}).hosts.tolist() == [5]
    assert models.replaced({2: None, 5: None}).hosts.tolist() == []
    x = np.zeros((1, len(first.mean)), np.float32)
    alone = OwnModels().replaced({0: second}).probabilities(x, np.zeros(1, bool), np.zeros((1, 3)))
    taken = models.take(np.array([2])).probabilities(x, np.zeros(1, bool), np.zeros((1, 3)))
    np.testing.assert_array_equal(taken, alone)


def test_own_model_rejects_another_architecture():
    predictor = make_predictor(np.random.default_rng(3))
    two = replace(predictor.ensemble, networks=predictor.ensemble.networks * 2)
    with pytest.raises(ValueError, match="one network"):
        own_model(replace(predictor, ensemble=two))
