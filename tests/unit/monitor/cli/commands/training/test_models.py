"""`monitor models`."""

import time

import pytest

from monitor.cli.exit_codes import ExitCode
from monitor.training import model_archive

pytestmark = pytest.mark.unit


@pytest.fixture
def two_models(run):
    """Register two models, of which the second serves, and return their ids."""
    with run.stores() as stores:
        ids = [stores.registry.register(blob, "{}", time.time()) for blob in (b"a", b"b")]
        for model_id in ids:
            stores.registry.promote(model_id, time.time())
    return ids


def active_id(run):
    with run.stores() as stores:
        return stores.registry.active_id()


def test_rollback_activates_the_previous_model(run, two_models):
    result = run("models", "rollback", "--json")
    assert (result.code, result.document) == (ExitCode.DONE, {"serving": two_models[0]})
    assert active_id(run) == two_models[0]


@pytest.mark.parametrize("subcommand", ["activate", "rollback"])
def test_activate_and_the_former_rollback_spelling_activate_a_model(run, two_models, subcommand):
    assert run("models", subcommand, two_models[0], "--json").document == {"serving": two_models[0]}
    assert active_id(run) == two_models[0]


def test_activate_needs_an_id(run, two_models):
    assert run("models", "activate").code == ExitCode.USAGE


@pytest.mark.parametrize("arguments", [["activate", 9], ["show", 9], ["rollback", 9], ["export", 9, "-"]])
def test_unknown_model_exits_with_1_and_is_named(run, two_models, arguments):
    result = run("models", *arguments)
    assert (result.code, result.output) == (ExitCode.FAILED, "")
    assert "9" in result.errors


@pytest.mark.parametrize("arguments", [["models"], ["models", "list"], ["models", "--json", "list"]])
def test_list_is_the_default(run, arguments):
    run.add_samples(time.time())
    result = run(*arguments, *([] if "--json" in arguments else ["--json"]))
    assert (result.code, result.document) == (ExitCode.DONE, [])


def test_list_does_not_create_a_database(run):
    assert run("models").code == ExitCode.FAILED
    assert not run.database.exists()


def test_export_to_stdout_prints_its_result_to_stderr(run, two_models, monkeypatch):
    monkeypatch.setattr(model_archive, "export_model", lambda *_, force: 5)
    result = run("models", "export", two_models[0], "-", "--json")
    assert (result.code, result.output) == (ExitCode.DONE, "")
    assert '"bytes": 5' in result.errors


def test_import_of_another_file_exits_with_1(run, two_models, tmp_path):
    (tmp_path / "x.npz").write_bytes(b"no model")
    result = run("models", "import", tmp_path / "x.npz")
    assert (result.code, result.output) == (ExitCode.FAILED, "")
    assert str(tmp_path / "x.npz") in result.errors
