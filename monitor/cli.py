"""The commands.

Each imports what it needs when it runs, so that `--help` costs nothing; results go to stdout, all else to stderr,
and whatever goes wrong ends as one line and an exit code.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import json
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.arguments import Command, pages, parser
from monitor.errors import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, ConfigError, MonitorError, NotEnoughDataError
from monitor.terminal import show
from monitor.text import Line, Report, Tone, Toned

if TYPE_CHECKING:
    from monitor.config import Config


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    # More threads make training slower on a busy machine and spin on others; NumPy reads these when imported.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    # What a process holds goes with it: to search it for garbage at the end took a fifth of the time of `status`.
    atexit.register(gc.freeze)
    arguments = parser(COMMANDS).parse_args(argv)
    try:
        code = int(arguments.command(arguments))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 128 + 2
    except BrokenPipeError:
        # The reader has gone (| head): nothing more to say, and nothing to complain about at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except Exception as error:
        return _complain(error)


def _complain(error: Exception) -> int:
    """Says what went wrong on stderr, and gives the exit code for it."""
    import logging  # noqa: PLC0415

    from monitor.logs import complain, setup_logging  # noqa: PLC0415

    known = _exit_code(error)
    if known is None:
        if not logging.getLogger().handlers:
            setup_logging("info", "text")
        # nobody expected it: where it was stands in the line, the traceback only for whoever asked for details
        log = logging.getLogger(__name__)
        log.critical("unexpected error", exc_info=error)
        return EXIT_FAILED
    for line in str(error).splitlines():
        complain(line)
    return known


def _exit_code(error: Exception) -> int | None:
    """The exit code of an error that says what a person can do; None for one that nobody expected."""
    if isinstance(error, MonitorError):
        return error.exit_code
    if isinstance(error, OSError):
        return EXIT_FAILED
    # Looked up by name: importing the packages only to name their errors would slow down every usage error.
    bases = {f"{base.__module__}.{base.__name__}" for base in type(error).__mro__}
    known = {"storage.errors.StorageError", "model.errors.ModelError"}
    return EXIT_FAILED if bases & known else None


def _config(arguments: argparse.Namespace) -> Config:
    """The configuration, with logging set up by it."""
    from monitor.config import find_config, load_config  # noqa: PLC0415
    from monitor.logs import setup_logging  # noqa: PLC0415

    config = load_config(find_config(arguments.config, os.environ))
    setup_logging(arguments.log_level or config.log.level, arguments.log_format or config.log.format)
    return config


def _answer(arguments: argparse.Namespace, document: Any, report: Report) -> None:
    """What was asked for, for a machine or for a person."""
    if arguments.json:
        print(json.dumps(document), flush=True)
    else:
        show(report, arguments.color)


def _run(arguments: argparse.Namespace) -> int:
    from monitor.daemon import run  # noqa: PLC0415

    run(_config(arguments))
    return EXIT_DONE


def _retrain(arguments: argparse.Namespace) -> int:
    from monitor.process import lower_priority  # noqa: PLC0415
    from monitor.progress import progress  # noqa: PLC0415
    from monitor.reports.training import detector_report, training_report  # noqa: PLC0415
    from monitor.retraining import Request, retrain  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    config = _config(arguments)
    lower_priority()
    request = Request(arguments.since, arguments.dry_run, arguments.force)
    epochs = config.training.recipe.epochs
    with open_stores(config.database_url, create=False) as stores, progress(epochs) as on_epoch:
        result = retrain(stores, config, request, on_epoch)
    if arguments.json:
        document = {"outcome": result.outcome, "reason": result.reason, "model_id": result.model_id}
        print(json.dumps({**document, "dry_run": arguments.dry_run, "report": result.report}))
    elif result.report:
        told = training_report(result.outcome, result.reason, result.model_id, result.report, arguments.dry_run)
        show(told, arguments.color)
    elif result.detector:
        told = Report((detector_report(result.detector), f"{result.outcome}: {result.reason}"))
        show(told, arguments.color)
    if result.error is not None:
        raise result.error
    return EXIT_DONE


def _status(arguments: argparse.Namespace) -> int:
    from monitor.overview import read_overview, status_document  # noqa: PLC0415
    from monitor.reports.status import status_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    config = _config(arguments)
    with open_stores(config.database_url, create=False) as stores:
        overview = read_overview(stores, config, time.time())
    document = {"database": config.database_url, **status_document(overview)}
    _answer(arguments, document, status_report(overview, config.database_url))
    return EXIT_DONE


def _predict(arguments: argparse.Namespace) -> int:
    from monitor.durations import about  # noqa: PLC0415
    from monitor.overview import old_after, read_overview  # noqa: PLC0415
    from monitor.recalibrating import standings_today  # noqa: PLC0415
    from monitor.reports.predictions import forecast_document, forecast_report  # noqa: PLC0415
    from monitor.serving import forecast_from_storage  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.text import moment  # noqa: PLC0415

    config = _config(arguments)
    now = time.time()
    at, max_age = now if arguments.at is None else arguments.at, old_after(config.sampling.interval)
    with open_stores(config.database_url, create=False) as stores:
        forecast = forecast_from_storage(
            stores, at, max_age, partial(standings_today, stores, at, config.warning.precision)
        )
        overview = read_overview(stores, config, now)
    waiting = overview.waiting_for
    if waiting and forecast is None:
        raise NotEnoughDataError(f"no model serves yet: {waiting}")
    if forecast is None:
        hint = ": is the daemon running?" if arguments.at is None else ""
        raise NotEnoughDataError(f"no sample in the {about(max_age)} before {moment(at)}{hint}")
    prior = (f"said by a prior learned on other hosts; of this one: {waiting}",) if waiting else ()
    _answer(arguments, forecast_document(forecast), Report((*forecast_report(forecast).blocks, *prior)))
    return EXIT_DONE


def _report(arguments: argparse.Namespace) -> int:
    from monitor.anomaly_reports import anomalies_document, anomalies_report  # noqa: PLC0415
    from monitor.reports.predictions import scores_report  # noqa: PLC0415
    from monitor.scoring import WINDOW, read_scores, scores_document  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    config = _config(arguments)
    now = time.time()
    since = now - (arguments.since or WINDOW)
    with open_stores(config.database_url, create=False) as stores:
        scores = read_scores(stores, since)
        anomalies = anomalies_document(stores, config.anomaly, now)
    document = {"since": since, "horizons": scores_document(scores), "anomalies": anomalies}
    _answer(arguments, document, Report((*scores_report(scores, since).blocks, anomalies_report(anomalies))))
    return EXIT_DONE


def _models(arguments: argparse.Namespace) -> int:
    if arguments.action in ("export", "import"):
        return _model_file(arguments)
    from dataclasses import asdict  # noqa: PLC0415

    from monitor.reports.training import model_report, models_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    with open_stores(_config(arguments).database_url, create=False) as stores:
        registry = stores.registry
        if arguments.action == "rollback":
            serving = registry.rollback(arguments.id, time.time())
            _answer(arguments, {"serving": serving}, Report((f"model {serving} serves",)))
        elif arguments.action == "show":
            record = registry.record(arguments.id)
            _answer(arguments, asdict(record), model_report(record, registry.active_id()))
        else:
            records, active = registry.history(), registry.active_id()
            listed = [
                {k: v for k, v in asdict(r).items() if k != "report"}
                | {"serving": r.id == active, "imported_from": r.report.get("imported_from")}
                for r in records
            ]
            _answer(arguments, listed, models_report(records, active))
    return EXIT_DONE


def _model_file(arguments: argparse.Namespace) -> int:
    from monitor.model_file import export_model, import_model, imported_document, imported_text  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    config, path = _config(arguments), arguments.file
    exports = arguments.action == "export"
    with open_stores(config.database_url, create=not exports) as stores:
        if exports:
            size = export_model(stores, arguments.id, path)
            document: dict[str, Any] = {"file": str(path), "model_id": arguments.id, "bytes": size}
            text = f"{path}: model {arguments.id}, {size} bytes"
        else:
            found = import_model(stores, config, path, time.time())
            document, text = imported_document(found), imported_text(found)
    _answer(arguments, document, Report((text,)))
    return EXIT_DONE


def _anomalies(arguments: argparse.Namespace) -> int:
    from monitor.anomaly_reports import answer  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    config = _config(arguments)
    with open_stores(config.database_url, create=False) as stores:
        document, report = answer(stores, config.anomaly, arguments, time.time())
    _answer(arguments, document, report)
    return EXIT_DONE


def _backtest(arguments: argparse.Namespace) -> int:
    from monitor.backtesting import backtest_document, backtest_report, prediction_rows, rerun, rewatch  # noqa: PLC0415
    from monitor.plots import plot_backtest  # noqa: PLC0415
    from monitor.process import lower_priority  # noqa: PLC0415
    from monitor.traces import create_text, read_trace  # noqa: PLC0415

    if (arguments.predictions or arguments.plot) and len(arguments.traces) > 1:
        print("monitor: --predictions and --plot go with a single trace", file=sys.stderr)
        return EXIT_USAGE
    config = _config(arguments)
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
        _answer(arguments, document, backtest_report(document))
    return EXIT_DONE


def _import(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict  # noqa: PLC0415

    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.traces import TraceCounts, trace_chunks  # noqa: PLC0415

    with open_stores(_config(arguments).database_url) as stores:
        for path in arguments.traces:
            counts, added = TraceCounts(), 0
            for table in trace_chunks(path, counts):
                added += stores.samples.add_missing(table)
            counts.repeated = counts.rows - added
            if not counts.rows:
                print(f"monitor: {path}: has a header and no rows", file=sys.stderr)
            _answer(
                arguments,
                {"file": str(path), "added": added, **asdict(counts)},
                Report((f"{path}: {added} samples added ({counts})",)),
            )
    return EXIT_DONE


def _export(arguments: argparse.Namespace) -> int:
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.traces import create_text, stored_tables, write_trace  # noqa: PLC0415

    since = 0.0 if arguments.since is None else time.time() - arguments.since
    with open_stores(_config(arguments).database_url, create=False) as stores:
        tables = stored_tables(stores.samples, since)
        if arguments.file is None:
            write_trace(sys.stdout, tables)
        else:
            with create_text(arguments.file) as file:
                written = write_trace(file, tables)
            print(f"{arguments.file}: {written} samples", file=sys.stderr)
    return EXIT_DONE


def _check_config(arguments: argparse.Namespace) -> int:
    from monitor.config import document, find_config, load_checked, render  # noqa: PLC0415

    path = find_config(arguments.file or arguments.config, os.environ)
    try:
        config = load_checked(path)
    except ConfigError as error:
        if arguments.json:
            print(json.dumps({"file": str(path), "problems": error.problems}))
        raise
    lines = [f"# {path or 'no file: the defaults'}", *render(config).splitlines()]
    tones: dict[str, Tone] = {"#": "faint", "[": "heading"}
    report = Report(tuple(Line((Toned(line, tones.get(line[:1])),), exact=True) for line in lines))
    _answer(arguments, {"file": str(path) if path else None, "problems": [], "config": document(config)}, report)
    return EXIT_DONE


def _doctor(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict  # noqa: PLC0415

    from monitor.config import find_config, load_config  # noqa: PLC0415
    from monitor.doctor import examine, examine_without, exit_code, report  # noqa: PLC0415

    try:
        results = examine(load_config(find_config(arguments.config, os.environ)), time.time())
    except ConfigError as error:
        results = examine_without(error.problems)
    _answer(arguments, [asdict(result) for result in results], report(results))
    return exit_code(results)


def _install_service(arguments: argparse.Namespace) -> int:
    from monitor.service import CONFIG, install, running_program, unit_text, unreadable  # noqa: PLC0415

    program = running_program()
    config = Path(arguments.config).absolute() if arguments.config else CONFIG
    if not arguments.print:
        print("\n".join(install(program, config)))
        return EXIT_DONE
    for problem in unreadable((*program.needs, config)):
        print(f"monitor: {problem}", file=sys.stderr)
    print(unit_text(program, config), end="")
    return EXIT_DONE


def _uninstall_service(arguments: argparse.Namespace) -> int:  # noqa: ARG001
    from monitor.service import uninstall  # noqa: PLC0415

    print("\n".join(uninstall()))
    return EXIT_DONE


def _completion(arguments: argparse.Namespace) -> int:
    from shtab import complete  # noqa: PLC0415

    print(complete(parser(COMMANDS), arguments.shell))
    return EXIT_DONE


def _help(arguments: argparse.Namespace) -> int:
    made = parser(COMMANDS)
    (pages(made)[arguments.topic] if arguments.topic else made).print_help()
    return EXIT_DONE


COMMANDS: dict[str, Command] = {
    "run": _run,
    "retrain": _retrain,
    "status": _status,
    "predict": _predict,
    "report": _report,
    "models": _models,
    "anomalies": _anomalies,
    "backtest": _backtest,
    "import": _import,
    "export": _export,
    "check-config": _check_config,
    "doctor": _doctor,
    "install-service": _install_service,
    "uninstall-service": _uninstall_service,
    "completion": _completion,
    "help": _help,
}
