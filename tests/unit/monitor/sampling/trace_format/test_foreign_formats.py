"""Files of other tools."""

import pytest

from monitor.sampling.trace_format.foreign_formats import column_hint, foreign_format

pytestmark = pytest.mark.unit

PROMETHEUS_JSON = '{"status":"success","data":{"resultType":"matrix","result":[]}}'


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (PROMETHEUS_JSON, "Prometheus API"),
        ('{\n  "status": "success",\n  "data": {}\n}', "Prometheus API"),
        ('{"sysstat": {"hosts": []}}', "sadf"),
        ('{"panels": []}', "Grafana"),
        ('{"results":[{"series":[]}]}', "InfluxDB"),
        ("[[1795800000, 0.5]]", "JSON"),
        ("# HELP node_load1 1m load average.\nnode_load1 0.42", "exposition format"),
        ("# TYPE node_load1 gauge\nnode_load1 0.42", "exposition format"),
        ("node_load1 0.42", "exposition format"),
        ('node_cpu_seconds_total{cpu="0",mode="idle"} 3.1e+06 1795800000000', "exposition format"),
        ("# hostname;interval;timestamp;CPU;%user", "sadf -d"),
        ("vm\t2\t2026-11-28 20:34:22 UTC\tall\t%user\t61.00", "sadf -p"),
        ("Linux 6.1.0-18-amd64 (web1) \t11/28/2026 \t_x86_64_\t(2 CPU)", "sar"),
        ("procs -----------memory---------- ---swap--", "vmstat"),
        (" r  b   swpd   free   buff  cache", "vmstat"),
        ("#datatype,string,long,dateTime:RFC3339,double", "annotated CSV of InfluxDB"),
        ("cpu,host=web1,cpu=cpu-total usage_idle=92.1,usage_user=3 1795800000000000000", "line protocol"),
        ("<?xml version='1.0'?>", "XML"),
        ("---", "YAML"),
    ],
)
def test_foreign_format_is_named_with_advice(text, name):
    sentence = foreign_format(["\n", *text.splitlines(keepends=True)])
    assert name in sentence
    assert "docs/how-to/import.md" in sentence


@pytest.mark.parametrize(
    "line",
    [
        "timestamp,cpu_usage",
        "timestamp;cpu_usage",
        "timestamp\tcpu_usage",
        '"Series";"Time";"Value"',
        "sep=;",
        "",
        "a b",
    ],
)
def test_csv_is_not_foreign(line):
    assert foreign_format([line]) == ""


def test_column_hint_knows_glances():
    assert "Glances" in column_hint(["timestamp", "cpu_total"])
    assert column_hint(["timestamp", "cpu"]) == ""
