"""`monitor check-config`."""

import tomllib

import pytest

from monitor.cli.exit_codes import ExitCode

pytestmark = pytest.mark.unit


def test_valid_configuration_is_printed_as_toml(run):
    result = run("check-config")
    assert (result.code, result.errors) == (ExitCode.DONE, "")
    assert tomllib.loads(result.output)["high_load"]["horizons"] == ["1m", "5m"]


def test_valid_configuration_is_printed_as_a_document(run):
    result = run("check-config", "--json")
    assert (result.document["file"], result.document["problems"]) == (str(run.config), [])
    assert result.document["config"]["high_load"]["horizons"] == [60.0, 300.0]


def test_invalid_configuration_exits_with_2_and_lists_every_problem(run):
    run.config.write_text("[trainig]\n[web]\nlisten = 3\nconfig_file = 'missing.yml'\n")
    result = run("check-config")
    assert (result.code, result.output) == (ExitCode.USAGE, "")
    assert len(result.errors.splitlines()) == 3
    assert len(run("check-config", "--json").document["problems"]) == 3


def test_argument_replaces_the_configured_file(run, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text("[log]\nlevel = 'debug'\n")
    assert run("check-config", other, "--json").document["config"]["log"]["level"] == "debug"


def test_source_of_a_fleet_is_checked_with_its_files(run):
    run.config.write_text(
        '[source]\nkind = "prometheus"\nurl = "http://127.0.0.1:9090"\npreset = "windows_exporter"\n'
        "http_config_file = 'missing.yml'\n[high_load]\nrules = [{ load_per_cpu = 2 }]\n"
    )
    problems = run("check-config", "--json").document["problems"]
    assert len(problems) == 2
    assert "load_per_cpu" in problems[0]
    assert "missing.yml" in problems[1]


def test_missing_secret_file_of_a_channel_is_a_warning(run):
    run.config.write_text(
        "[notify.channels.ops]\nurl_file = 'missing'\n[notify.channels.on-call]\nurl_file = 'present'\n"
    )
    (run.config.parent / "present").write_text("http://127.0.0.1/")
    result = run("check-config")
    assert result.code == ExitCode.DONE
    assert "notify" in tomllib.loads(result.output)
    (line,) = result.errors.splitlines()
    assert line == f"warning: notify.channels.ops: {run.config.parent / 'missing'}: No such file or directory"
