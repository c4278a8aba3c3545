"""Shared steps of the actions."""

import logging

import pytest

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.options import GlobalOptions
from monitor.errors import ConfigError
from monitor.reports.blocks import Report

pytestmark = pytest.mark.unit

REPORT = Report(("a line",))
DOCUMENT = {"value": float("nan")}


def test_load_configuration_sets_the_log_level(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("[log]\nlevel = 'error'\n")
    assert load_configuration(GlobalOptions(config=str(path))).log.level == "error"
    assert logging.getLogger().level == logging.ERROR
    load_configuration(GlobalOptions(config=str(path), log_level="debug"))
    assert logging.getLogger().level == logging.DEBUG


def test_load_configuration_rejects_an_invalid_file(tmp_path):
    with pytest.raises(ConfigError):
        load_configuration(GlobalOptions(config=str(tmp_path / "missing.toml")))


@pytest.mark.parametrize(
    ("json", "to_stderr", "streams"),
    [
        (False, False, ("a line\n", "")),
        (True, False, ('{"value": null}\n', "")),
        (False, True, ("", "a line\n")),
        (True, True, ("", '{"value": null}\n')),
    ],
)
def test_print_result_writes_the_report_or_the_document(capsys, json, to_stderr, streams):
    print_result(GlobalOptions(json=json), DOCUMENT, REPORT, to_stderr=to_stderr)
    assert capsys.readouterr() == streams
