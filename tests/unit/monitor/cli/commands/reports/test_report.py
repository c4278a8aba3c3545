"""`monitor report`."""

import time
from dataclasses import replace

import pytest

from monitor.cli.exit_codes import ExitCode

pytestmark = pytest.mark.unit

DAY = 86400.0


@pytest.mark.parametrize(("arguments", "days"), [([], 7), (["--since", "30d"], 30), (["--since", "-1d"], 1)])
def test_report_covers_the_requested_period(run, arguments, days):
    run.add_samples(time.time())
    result = run("report", "--json", *arguments)
    assert result.code == ExitCode.DONE
    assert result.document["since"] == pytest.approx(time.time() - days * DAY, abs=60)
    assert result.document["anomalies"]["anomalies"] == 0


def test_report_prints_text_by_default(run):
    run.add_samples(time.time())
    result = run("report")
    assert (result.code, result.output[:1] != "{") == (ExitCode.DONE, True)


def test_report_lists_warnings_with_their_processes(run, process_snapshot):
    run.add_samples(time.time())
    with run.stores() as stores:
        stores.process_snapshots.add([replace(process_snapshot, started_at=time.time() - 60)])
    (warning,) = run("report", "--json").document["warnings"]
    assert (warning["horizon"], [process["name"] for process in warning["processes"]["processes"]]) == (300, ["java"])
    assert run("report", "--since", "30s", "--json").document["warnings"] == []
