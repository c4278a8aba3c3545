"""Commands that look: is it well, what is coming, how good was it, what was strange."""

from __future__ import annotations

import argparse
import time
from functools import partial

from monitor.cli.commands.common import answer, config_of
from monitor.errors import EXIT_DONE, NotEnoughDataError
from monitor.reports.blocks import Report


def status(arguments: argparse.Namespace) -> int:
    from monitor.queries.status import read_overview, status_document  # noqa: PLC0415
    from monitor.reports.status import status_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.logging import redact_credentials  # noqa: PLC0415

    config = config_of(arguments)
    with open_stores(config.database_url, create=False) as stores:
        overview = read_overview(stores, config, time.time())
    database = redact_credentials(config.database_url)
    answer(arguments, {"database": database, **status_document(overview)}, status_report(overview, database))
    return EXIT_DONE


def predict(arguments: argparse.Namespace) -> int:
    from monitor.inference.served_model import forecast_from_storage  # noqa: PLC0415
    from monitor.jobs.recalibration import current_decisions  # noqa: PLC0415
    from monitor.queries.status import old_after, read_overview  # noqa: PLC0415
    from monitor.reports.predictions import forecast_document, forecast_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.formatting import approximate_duration, format_time  # noqa: PLC0415

    config = config_of(arguments)
    now = time.time()
    at, max_age = now if arguments.at is None else arguments.at, old_after(config.sampling.interval)
    with open_stores(config.database_url, create=False) as stores:
        forecast = forecast_from_storage(
            stores, at, max_age, partial(current_decisions, stores, at, config.warning.precision)
        )
        overview = read_overview(stores, config, now)
    waiting = overview.waiting_for
    if forecast is None and overview.model is None:
        raise NotEnoughDataError(f"no model serves yet: {waiting}")
    if forecast is None:
        hint = ": is the daemon running?" if arguments.at is None else ""
        raise NotEnoughDataError(f"no sample in the {approximate_duration(max_age)} before {format_time(at)}{hint}")
    prior = (f"said by a prior learned on other hosts; of this one: {waiting}",) if waiting else ()
    answer(arguments, forecast_document(forecast), Report((*forecast_report(forecast).blocks, *prior)))
    return EXIT_DONE


def report(arguments: argparse.Namespace) -> int:
    from monitor.jobs.scoring import SCORE_WINDOW, read_scores, scores_document  # noqa: PLC0415
    from monitor.reports.anomalies import anomalies_document, anomalies_report  # noqa: PLC0415
    from monitor.reports.predictions import scores_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    config = config_of(arguments)
    now = time.time()
    since = now - (arguments.since or SCORE_WINDOW)
    with open_stores(config.database_url, create=False) as stores:
        scores = read_scores(stores, since)
        anomalies = anomalies_document(stores, config.anomaly, now)
    document = {"since": since, "horizons": scores_document(scores), "anomalies": anomalies}
    answer(arguments, document, Report((*scores_report(scores, since).blocks, anomalies_report(anomalies))))
    return EXIT_DONE


def anomalies(arguments: argparse.Namespace) -> int:
    from monitor.reports import anomalies as anomaly_reports  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    config = config_of(arguments)
    with open_stores(config.database_url, create=False) as stores:
        document, report = anomaly_reports.answer(stores, config.anomaly, arguments, time.time())
    answer(arguments, document, report)
    return EXIT_DONE
