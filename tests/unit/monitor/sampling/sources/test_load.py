"""Load source."""

import pytest

from monitor.sampling.sources.load import COUNT_CPUS_AFTER, Load

pytestmark = pytest.mark.unit


def test_load_is_divided_by_number_of_cpus(host):
    assert host.values(Load()) == {"load_per_cpu": 0.75}


def test_load_counts_cpus_again_after_some_samples(proc, monkeypatch):
    (proc / "loadavg").write_text("6.00 1.00 1.00 1/100 4242\n")
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    source = Load()
    assert source.read() == 3.0
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    assert [source.read() for _ in range(COUNT_CPUS_AFTER)][-1] == 1.0


@pytest.mark.parametrize("text", ["", "0.5", "0.5 0.1 0.1\n", "x 0.1 0.1 1/100 4242\n"])
def test_load_read_fails_for_malformed_line(proc, text):
    (proc / "loadavg").write_text(text)
    with pytest.raises(ValueError, match=r"loadavg|float"):
        Load().read()
