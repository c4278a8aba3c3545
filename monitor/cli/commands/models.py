"""Commands on models: train one, list, roll back, move them, and what they would have said of a trace."""

from __future__ import annotations

import argparse
import time
from typing import Any

from monitor.cli.commands.common import answer, config_of
from monitor.errors import EXIT_DONE, UsageError
from monitor.reports.blocks import Report
from monitor.reports.terminal import show


def retrain(arguments: argparse.Namespace) -> int:
    from monitor.reports.progress import progress  # noqa: PLC0415
    from monitor.reports.training import detector_report, training_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.json_codec import to_json  # noqa: PLC0415
    from monitor.system.processes import lower_priority  # noqa: PLC0415
    from monitor.training import retrain as retraining  # noqa: PLC0415

    config = config_of(arguments)
    lower_priority()
    request = retraining.Request(arguments.since, arguments.dry_run, arguments.force)
    epochs = config.training.recipe.epochs
    with open_stores(config.database_url, create=False) as stores, progress(epochs) as on_epoch:
        result = retraining.retrain(stores, config, request, on_epoch)
    if arguments.json:
        document = {"outcome": result.outcome, "reason": result.reason, "model_id": result.model_id}
        print(to_json({**document, "dry_run": arguments.dry_run, "report": result.report}))
    elif result.report is not None and result.report.health is not None:
        told = training_report(result.outcome, result.reason, result.model_id, result.report, arguments.dry_run)
        show(told, arguments.color)
    elif result.report is not None:
        told = Report((detector_report(result.report.detector), f"{result.outcome}: {result.reason}"))
        show(told, arguments.color)
    if result.error is not None:
        raise result.error
    return EXIT_DONE


def models(arguments: argparse.Namespace) -> int:
    if arguments.action in ("export", "import"):
        return model_file(arguments)
    from monitor.reports.training import model_report, models_document, models_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.json_codec import to_plain  # noqa: PLC0415
    from monitor.training.records import read_model, registered_model  # noqa: PLC0415

    with open_stores(config_of(arguments).database_url, create=False) as stores:
        registry = stores.registry
        if arguments.action == "rollback":
            serving = registry.rollback(arguments.id, time.time())
            answer(arguments, {"serving": serving}, Report((f"model {serving} serves",)))
        elif arguments.action == "show":
            model = read_model(stores, arguments.id)
            answer(arguments, to_plain(model), model_report(model, registry.active_id()))
        else:
            records, active = [registered_model(record) for record in registry.history()], registry.active_id()
            answer(arguments, models_document(records, active), models_report(records, active))
    return EXIT_DONE


def model_file(arguments: argparse.Namespace) -> int:
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.training.model_archive import export_model, import_model, imported_document, imported_text  # noqa: PLC0415

    config, path = config_of(arguments), arguments.file
    exports = arguments.action == "export"
    with open_stores(config.database_url, create=not exports) as stores:
        if exports:
            size = export_model(stores, arguments.id, path)
            document: dict[str, Any] = {"file": str(path), "model_id": arguments.id, "bytes": size}
            text = f"{path}: model {arguments.id}, {size} bytes"
        else:
            found = import_model(stores, config, path, time.time())
            document, text = imported_document(found), imported_text(found)
    answer(arguments, document, Report((text,)))
    return EXIT_DONE


def backtest(arguments: argparse.Namespace) -> int:
    from monitor.reports.plots import plot_backtest  # noqa: PLC0415
    from monitor.sampling.csv_traces import create_text, read_trace  # noqa: PLC0415
    from monitor.system.processes import lower_priority  # noqa: PLC0415
    from monitor.training.backtest import backtest_document, backtest_report, prediction_rows, rerun, rewatch  # noqa: PLC0415

    if (arguments.predictions or arguments.plot) and len(arguments.traces) > 1:
        raise UsageError("--predictions and --plot go with a single trace")
    config = config_of(arguments)
    lower_priority()
    for path in arguments.traces:
        trace = read_trace(path)
        found = rerun(trace, config, arguments.train_until, retrain=not arguments.no_retrain)
        seen = rewatch(trace, config, float(found.times[0]), retrain=not arguments.no_retrain)
        if arguments.predictions:
            with create_text(arguments.predictions) as file:
                file.writelines(prediction_rows(found, seen))
        if arguments.plot:
            plot_backtest(found, arguments.plot)
        document = backtest_document(path, trace, found, seen)
        answer(arguments, document, backtest_report(document))
    return EXIT_DONE
