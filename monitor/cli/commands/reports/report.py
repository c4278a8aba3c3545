"""`monitor report`: scores of past predictions against the outcomes."""

from __future__ import annotations

import time

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.fleet_actions import check_host_option, fleet_report, host_option
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.cli.parameters import SINCE


@click.command(
    "report",
    cls=Command,
    examples={
        "monitor report": "Score the predictions of the last 7 days.",
        "monitor report --since 30d --json": "Print the scores of a month as one document.",
    },
)
@click.option(
    "--since",
    metavar="DURATION",
    type=SINCE,
    help='Score this much history, e.g. "30d", or from this time on. Default: 7d.',
)
@host_option
@json_option
@pass_options
def command(options: GlobalOptions, since: float | None, host: str | None) -> int:
    """Score past predictions against the outcomes.

    Shows the Brier score, its skill over the base rate and over persistence, precision and recall of the warnings,
    and predicted against observed frequency. The scorecard counts the high-load periods that a warning announced,
    with the lead time, and the false warnings, next to baselines with as many false warnings. A prediction is
    scored once its horizon has passed. Predictions that a training run has replayed over imported history are listed
    separately. Then the predictions of full file systems and exhausted memory, next to baselines, and the newest
    warnings with the processes that used most processor time when they began.
    """
    from monitor.documents.anomalies import anomaly_count_document, warning_document  # noqa: PLC0415
    from monitor.documents.scores import (  # noqa: PLC0415
        CapacityScoresDocument,
        ScoreReportDocument,
        score_document,
        scorecard_document,
    )
    from monitor.inference.forecast import serving_rules  # noqa: PLC0415
    from monitor.queries.capacity import capacity_scores  # noqa: PLC0415
    from monitor.queries.scorecard import read_scorecard, replayed_scorecard  # noqa: PLC0415
    from monitor.queries.scores import SCORE_WINDOW, read_scores  # noqa: PLC0415
    from monitor.reports.scores import score_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    config = load_configuration(options)
    check_host_option(config, host)
    if config.source.is_fleet:
        return fleet_report(options, config, host, since)
    now = time.time()
    start = now - (since or SCORE_WINDOW)
    with open_stores(config.database_url, create=False) as stores:
        live = read_scores(stores.scores, start)
        replayed = read_scores(stores.replayed_scores, start)
        rules = serving_rules(stores, config.rules)
        scorecard = read_scorecard(stores, live, rules, config.sampling.interval, start)
        capacity = capacity_scores(stores, start)
        events = stores.anomalies.since(start)
        warnings = tuple(map(warning_document, stores.process_snapshots.of_warnings(start)))
    predicts_capacity = config.capacity.enabled or bool(capacity)
    counts = anomaly_count_document(events, config.anomaly.false_alarms_per_month, start, now)
    document = ScoreReportDocument(
        since=start,
        horizons=tuple(map(score_document, live)),
        replayed=tuple(map(score_document, replayed)),
        anomalies=counts,
        warnings=warnings,
        scorecard=scorecard_document(scorecard, start),
        replayed_scorecard=scorecard_document(replayed_scorecard(replayed), start),
        capacity=CapacityScoresDocument(capacity) if predicts_capacity else None,
    )
    print_result(options, document, score_report(document))
    return ExitCode.DONE
