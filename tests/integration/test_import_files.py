"""Import of files of other tools: real output of sadf, JSON of Prometheus, CSV of Grafana; training afterwards."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from monitor.sampling.sampler import Sampler
from monitor.sampling.sources import SOURCES, make_sources
from storage import SAMPLE_FIELDS, SampleRepository, open_database
from tests.integration.metric_servers import need

pytestmark = pytest.mark.integration

SADC = Path("/usr/lib/sysstat/sadc")


def stored(admin):
    with open_database(admin.url) as database:
        return SampleRepository(database).between(0, math.inf)


@pytest.fixture(scope="module")
def sadf_output(tmp_path_factory):
    """Return output of sadf for a file that sadc wrote on this host, and the sample of the same seconds."""
    need("sadf")
    directory = tmp_path_factory.mktemp("sysstat")
    sampler = Sampler(make_sources(tuple(SOURCES)), 1.0)
    sampler.sample()
    subprocess.run([SADC, "-S", "XALL", "1", "4", directory / "sa"], check=True)
    sample = sampler.sample()
    command = ["sadf", "-j", directory / "sa", "--", "-A"]
    return subprocess.run(command, check=True, capture_output=True).stdout, sample


def test_sadf_has_every_field_that_the_sampler_measures(admin, tmp_path, sadf_output):
    text, sample = sadf_output
    (tmp_path / "sa.json").write_bytes(text)
    code, output, errors = admin("import", "--json", "--sadf", str(tmp_path / "sa.json"))
    assert code == 0, errors
    document = json.loads(output)
    assert (document["source"], document["added"], document["bad_cells"]) == ("sadf", 3, 0)
    measured = {field for field in SAMPLE_FIELDS if getattr(sample, field) is not None}
    assert measured - set(document["fields"]) <= {"network_usage"}
    memory = stored(admin)[:, 1 + SAMPLE_FIELDS.index("memory_usage")]
    assert memory == pytest.approx(sample.memory_usage, abs=0.05)


def test_sadf_is_read_from_standard_input(admin, sadf_output):
    command = [sys.executable, "-m", "monitor", "--config", str(admin.config), "import", "--json", "--sadf", "-"]
    result = subprocess.run(command, input=sadf_output[0], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["added"] == 3


def test_plain_import_recognises_json_of_prometheus_and_csv_of_grafana(admin, tmp_path):
    series = {"metric": {"__name__": "cpu_usage"}, "values": [[1700000000, "0.5"], [1700000060, "NaN"]]}
    answer = {"status": "success", "data": {"resultType": "matrix", "result": [series]}}
    (tmp_path / "query.json").write_text(json.dumps(answer))
    (tmp_path / "grafana.csv").write_text(
        'sep=,\n"Time","Received","Memory"\n'
        '2023-11-14 22:13:20,"1.20 MB/s",12.3%\n2023-11-14 22:14:20,"512 kB/s",50%\n2023-11-14 22:15:20,"0 B/s",\n'
    )
    mapping = ("--map", "network_receive=Received", "--map", "memory_usage=Memory", "--timezone", "UTC")
    code, output, errors = admin(
        "import", "--json", str(tmp_path / "query.json"), str(tmp_path / "grafana.csv"), *mapping
    )
    assert code == 0, errors
    documents = [json.loads(line) for line in output.splitlines()]
    assert [document["source"] for document in documents] == ["prometheus_json", "csv"]
    columns = [0, *(1 + SAMPLE_FIELDS.index(name) for name in ("cpu_usage", "memory_usage", "network_receive"))]
    np.testing.assert_array_equal(
        stored(admin)[:, columns],
        [
            [1700000000, 0.5, 0.123, 1.2e6],
            [1700000060, np.nan, 0.5, 512e3],
            [1700000120, np.nan, np.nan, 0],
        ],
    )


def test_import_trains_afterwards(admin, tmp_path):
    admin.fill(rows=2000)
    trace = tmp_path / "history.csv"
    assert admin("export", str(trace))[0] == 0
    admin.database.unlink()
    code, output, errors = admin("import", "--json", "--train", str(trace))
    assert code == 0, errors
    imported, training = (json.loads(line) for line in output.splitlines())
    assert imported["added"] == 2000
    assert training["model_id"] == 1
    assert training["replayed"]["predictions"] > 0
    assert np.isfinite(stored(admin)[:, 1]).all()
