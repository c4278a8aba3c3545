"""Helper of the exporter tests: metrics as values."""

import pytest


@pytest.fixture
def samples():
    """Return a function that maps metrics to {(name, label values): value}."""

    def collect(metrics):
        return {
            (sample.name.removeprefix("monitor_"), *sample.labels.values()): sample.value
            for metric in metrics
            for sample in metric.samples
        }

    return collect
