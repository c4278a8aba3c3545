"""Documents of process snapshots."""

import pytest

from monitor.documents.anomalies import warning_document
from storage import ProcessSnapshot, ProcessUsage
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit


def test_warning_document_has_time_horizon_and_processes():
    snapshot = ProcessSnapshot(
        at=NOW + 2,
        started_at=NOW,
        anomaly_id=None,
        horizon=900.0,
        probability=0.75,
        seconds=1.00049,
        visited=135,
        io_hidden=130,
        complete=True,
        processes=(ProcessUsage(7, "java", 1.23456, 2**20, 10.4, None, "java -jar x"),),
    )
    document = warning_document(snapshot)
    assert (document.started_at, document.horizon, document.horizon_name) == (NOW, 900.0, "15m")
    assert document.probability == 0.75
    processes = document.processes
    assert (processes.at, processes.seconds, processes.visited, processes.io_hidden) == (NOW + 2, 1.0, 135, 130)
    (process,) = processes.processes
    assert (process.pid, process.name, process.cpu, process.memory) == (7, "java", 1.235, 2**20)
    assert (process.disk_read, process.disk_write, process.command_line) == (10, None, "java -jar x")
