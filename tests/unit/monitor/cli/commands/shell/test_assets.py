"""`monitor assets`."""

import json
from pathlib import Path

import _jsonnet
import pytest

from monitor.cli.commands.shell import assets
from monitor.cli.exit_codes import ExitCode
from monitor.errors import MonitorError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[6]


def test_assets_are_copied_to_the_directory(run, tmp_path):
    target = tmp_path / "new" / "assets"
    result = run("assets", "--to", target, "--json")
    assert result.code == ExitCode.DONE
    assert result.document["files"] == sorted(str(path) for path in target.rglob("*") if path.is_file())
    for name in ("man/monitor.1", "monitor.service", "prometheus/alerts.yml", "grafana/dashboards/host.json"):
        assert (target / name).read_bytes() == (ROOT / "deploy" / name).read_bytes()
    assert {path.name for path in (target / "completion").iterdir()} == {
        f"monitor.{s}" for s in ("bash", "zsh", "fish")
    }


def test_written_mixin_is_complete(run, tmp_path):
    assert run("assets", "--to", tmp_path).code == ExitCode.DONE
    dashboards = f"std.objectFields((import '{tmp_path}/mixin/mixin.libsonnet').grafanaDashboards)"
    shipped = {path.name for path in (tmp_path / "grafana" / "dashboards").iterdir()}
    assert set(json.loads(_jsonnet.evaluate_snippet("test", dashboards))) == shipped


def test_assets_replace_files_and_are_listed(run, tmp_path):
    (tmp_path / "monitor.service").write_text("old")
    result = run("assets", "--to", tmp_path)
    assert result.code == ExitCode.DONE
    assert str(tmp_path / "monitor.service") in result.output.splitlines()
    assert (tmp_path / "monitor.service").read_text() != "old"


def test_assets_name_the_file_that_cannot_be_written(run, tmp_path):
    (tmp_path / "monitor.service").mkdir()
    result = run("assets", "--to", tmp_path)
    assert result.code == ExitCode.FAILED
    assert f"{tmp_path / 'monitor.service'}: cannot be written" in result.errors


def test_assets_name_the_directory_that_cannot_be_created(run, tmp_path):
    (tmp_path / "file").touch()
    result = run("assets", "--to", tmp_path / "file" / "below")
    assert result.code == ExitCode.FAILED
    assert result.errors == f"monitor: {tmp_path / 'file' / 'below'}: Not a directory\n"


def test_assets_need_a_directory(run, tmp_path):
    (tmp_path / "file").touch()
    assert run("assets").code == ExitCode.USAGE
    assert run("assets", "--to", tmp_path / "file").code == ExitCode.USAGE


def test_installation_without_assets_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path / "monitor")
    with pytest.raises(MonitorError):
        assets.asset_directory()
