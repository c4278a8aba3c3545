"""`monitor predict`: the prediction for now or for a time in the past."""

from __future__ import annotations

import time
from functools import partial

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.fleet_actions import check_host_option, fleet_predict, host_option
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.cli.parameters import TIME
from monitor.errors import NotEnoughDataError


@click.command(
    "predict",
    cls=Command,
    examples={
        "monitor predict": "Predict from the newest sample.",
        "monitor predict --at -2h": "Predict as of two hours ago, with the model that serves now.",
        "monitor predict --at 2026-03-01T12:00:00 --json": "Print every contribution as of a time in UTC.",
    },
)
@click.option(
    "--at",
    metavar="TIME",
    type=TIME,
    help="Predict as of this time: seconds since the epoch, a date and time (UTC unless it names a zone), now or "
    "-2h. Default: now.",
)
@host_option
@json_option
@pass_options
def command(options: GlobalOptions, at: float | None, host: str | None) -> int:
    """Show the current prediction with the contribution of each metric.

    For each horizon: the probability of high load, its base rate on this host, and the metrics that moved it most.
    A contribution is in log-odds, positive where it makes high load more probable. Then each file system and the
    memory, with the probability of passing the limit; as JSON, they are in `monitor status`. Of a fleet: the hosts by
    risk, or one host with `--host`, without contributions.
    """
    from monitor.documents.prediction import prediction_documents  # noqa: PLC0415
    from monitor.documents.status.capacity import capacity_document  # noqa: PLC0415
    from monitor.inference.forecast import forecast_from_storage  # noqa: PLC0415
    from monitor.jobs.recalibration import current_decisions  # noqa: PLC0415
    from monitor.queries.capacity import read_capacity  # noqa: PLC0415
    from monitor.queries.overview import max_sample_age  # noqa: PLC0415
    from monitor.queries.status import read_overview  # noqa: PLC0415
    from monitor.reports.capacity import capacity_blocks  # noqa: PLC0415
    from monitor.reports.prediction import prediction_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.formatting import approximate_duration, format_time  # noqa: PLC0415

    config = load_configuration(options)
    check_host_option(config, host)
    if config.source.is_fleet:
        return fleet_predict(options, config, host, at)
    now = time.time()
    as_of = now if at is None else at
    max_age = max_sample_age(config.sampling.interval)
    with open_stores(config.database_url, create=False) as stores:
        decisions = partial(current_decisions, stores, as_of)
        forecast = forecast_from_storage(stores, as_of, max_age, decisions)
        overview = read_overview(stores, config, now)
        sample = stores.samples.last(until=as_of)
        capacity = read_capacity(stores, config.capacity, None, as_of, scores=())
    waiting = overview.waiting_for
    if forecast is None and overview.model is None:
        raise NotEnoughDataError(f"no model serves yet: {waiting}")
    if forecast is None and sample is not None and sample.at >= as_of - max_age:
        raise NotEnoughDataError(
            f"the load is unknown: no metric of the high-load rules has a value at {format_time(sample.at)}"
        )
    if forecast is None:
        hint = ": is the daemon running?" if at is None else ""
        raise NotEnoughDataError(
            f"no sample in the {approximate_duration(max_age)} before {format_time(as_of)}{hint}"
        )
    note = f"predicted by the pretrained model; no model of this host yet: {waiting}" if waiting else ""
    documents = prediction_documents(forecast)
    resources = capacity_blocks(capacity_document(capacity))
    print_result(options, documents, prediction_report(documents, note, resources))
    return ExitCode.DONE
