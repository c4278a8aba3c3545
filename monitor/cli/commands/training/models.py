"""`monitor models`: list, activate, roll back, export and import models."""

from __future__ import annotations

import time
from pathlib import Path

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.fleet_actions import check_host_option, fleet_models, host_option, load_host_configuration
from monitor.cli.help import DeprecatedArgument, Group
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.cli.parameters import INPUT_FILE, OUTPUT_FILE, ROW_ID
from monitor.system.standard_streams import STANDARD_OUTPUT


@click.group(
    "models",
    cls=Group,
    examples={
        "monitor models": "List the models; the active one is marked.",
        "monitor models show 3": "Show the training report of a model.",
        "monitor models rollback": "Go back to the previous model.",
        "monitor models export 3 web1.npz": "Write a model to a file, for a similar host.",
    },
)
@host_option
@json_option
@click.pass_context
def command(context: click.Context, host: str | None) -> int | None:
    """List, show, activate, export or import models.

    Without a sub-command: list. Of a fleet, the number of hosts that each model serves. A running daemon serves an
    activated model from its next prediction on.
    """
    if context.invoked_subcommand is None:
        return _list(context.ensure_object(GlobalOptions), host)
    return None


@command.command("list", examples={"monitor models list --json": "List the models as one document."})
@host_option
@json_option
@pass_options
def list_models(options: GlobalOptions, host: str | None) -> int:
    """List the newest models; the active one is marked."""
    return _list(options, host)


@command.command("show", examples={"monitor models show 3": "Show the training report of model 3."})
@click.argument("model_id", metavar="ID", type=ROW_ID, help="ID of the model.")
@json_option
@pass_options
def show_model(options: GlobalOptions, model_id: int) -> int:
    """Show one model with its training report."""
    from monitor.documents.models import model_document  # noqa: PLC0415
    from monitor.reports.models import model_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.training.records import read_model  # noqa: PLC0415

    with open_stores(load_host_configuration(options).database_url, create=False) as stores:
        model = read_model(stores, model_id)
        document = model_document(model, stores.registry.active_id(), stores.registry.quarantined())
    print_result(options, document, model_report(document))
    return ExitCode.DONE


@command.command("activate", examples={"monitor models activate 3": "Activate model 3."})
@click.argument("model_id", metavar="ID", type=ROW_ID, help="ID of the model.")
@json_option
@pass_options
def activate(options: GlobalOptions, model_id: int) -> int:
    """Activate a model, even if the gate refused it or it is quarantined."""
    return _activate(options, model_id)


@command.command("rollback", examples={"monitor models rollback": "Activate the previous model."})
@click.argument("model_id", cls=DeprecatedArgument, type=ROW_ID, required=False)
@json_option
@pass_options
def rollback(options: GlobalOptions, model_id: int | None) -> int:
    """Activate the model that served before the active one."""
    return _activate(options, model_id)


@command.command(
    "export",
    examples={
        "monitor models export 3 web1.npz": "Write model 3 to a file.",
        "monitor models export 3 - | ssh web2 monitor models import -": "Copy model 3 to another host.",
    },
)
@click.argument("model_id", metavar="ID", type=ROW_ID, help="ID of the model.")
@click.argument("file", metavar="FILE", type=OUTPUT_FILE, help="File to write; - is stdout.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@json_option
@pass_options
def export_model(options: GlobalOptions, model_id: int, file: Path, force: bool) -> int:
    """Write a model to a file, with its detector and its report."""
    from monitor.documents.models import model_export_document  # noqa: PLC0415
    from monitor.reports.files import model_export_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.training import model_archive  # noqa: PLC0415

    with open_stores(load_host_configuration(options).database_url, create=False) as stores:
        size = model_archive.export_model(stores, model_id, file, force=force)
    document = model_export_document(model_id, file, size)
    print_result(options, document, model_export_report(document), to_stderr=file == STANDARD_OUTPUT)
    return ExitCode.DONE


@command.command("import", examples={"monitor models import web1.npz": "Register the model in a file."})
@click.argument("file", metavar="FILE", type=INPUT_FILE, help="File written by export; - is stdin.")
@json_option
@pass_options
def import_model(options: GlobalOptions, file: Path) -> int:
    """Register the model in a file without activating it.

    To let it serve, run `monitor models activate ID`.
    """
    from monitor.documents.models import model_import_document  # noqa: PLC0415
    from monitor.reports.files import model_import_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.training import model_archive  # noqa: PLC0415

    config = load_host_configuration(options)
    with open_stores(config.database_url) as stores:
        result = model_archive.import_model(stores, config, file, time.time())
    document = model_import_document(result)
    print_result(options, document, model_import_report(document))
    return ExitCode.DONE


def _list(options: GlobalOptions, host: str | None) -> int:
    """Print the newest models."""
    from monitor.documents.models import model_list_entry  # noqa: PLC0415
    from monitor.reports.models import models_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.training.records import registered_model  # noqa: PLC0415

    config = load_configuration(options)
    check_host_option(config, host)
    if config.source.is_fleet:
        return fleet_models(options, config, host)
    with open_stores(config.database_url, create=False) as stores:
        active = stores.registry.active_id()
        quarantined = stores.registry.quarantined()
        models = tuple(
            model_list_entry(registered_model(record), active, quarantined) for record in stores.registry.history()
        )
    print_result(options, models, models_report(models))
    return ExitCode.DONE


def _activate(options: GlobalOptions, model_id: int | None) -> int:
    """Activate a model and print its ID; None activates the previous model."""
    from monitor.documents.models import ActivationDocument  # noqa: PLC0415
    from monitor.reports.models import activation_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    with open_stores(load_host_configuration(options).database_url, create=False) as stores:
        serving = stores.registry.rollback(model_id, time.time())
    document = ActivationDocument(serving)
    print_result(options, document, activation_report(document))
    return ExitCode.DONE
