"""`monitor backtest`: replay CSV traces and score the predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.cli.parameters import INPUT_FILE, OUTPUT_FILE, TIME, with_one_standard_input
from monitor.cli.trace_options import trace_options
from monitor.errors import MonitorError
from monitor.system.standard_streams import STANDARD_OUTPUT

if TYPE_CHECKING:
    from model.anomaly.backtest import AnomalyBacktest
    from model.training.backtest_result import BacktestResult
    from monitor.sampling.trace_format.options import TraceOptions


@click.command(
    "backtest",
    cls=Command,
    examples={
        "monitor backtest trace.csv": "Train on the first 60 % of the rows, replay the rest.",
        "monitor backtest trace.csv.gz --train-until 2026-03-01 --no-retrain": "Train once, then replay the rest.",
        "monitor backtest trace.csv --predictions out.csv --plot out.png": "Write every prediction, and a plot.",
        "monitor export - | monitor backtest -": "Replay the stored history.",
    },
)
@click.argument(
    "traces", metavar="TRACE...", nargs=-1, required=True, type=INPUT_FILE, callback=with_one_standard_input,
    help="CSV file, compressed if its name ends in .gz; - is stdin.",
)  # fmt: skip
@click.option(
    "--train-until",
    metavar="TIME",
    type=TIME,
    help="End of the training part: seconds since the epoch, a date and time, or -7d. Default: 60 % of the rows.",
)
@click.option(
    "--predictions",
    metavar="FILE",
    type=OUTPUT_FILE,
    help="Write the predictions of a single trace as CSV; - is stdout, the report then goes to stderr.",
)
@click.option("--plot", metavar="FILE", type=OUTPUT_FILE, help="Plot a single trace; needs matplotlib.")
@click.option("--no-retrain", is_flag=True, help="Train once. Default: retrain every training.interval.")
@trace_options
@json_option
@pass_options
def command(
    options: GlobalOptions,
    traces: tuple[Path, ...],
    train_until: float | None,
    predictions: Path | None,
    plot: Path | None,
    no_retrain: bool,
    interpretation: TraceOptions,
) -> int:
    """Replay CSV traces and score the predictions.

    Trains on the first part of each trace and replays the rest as the daemon would, with retraining and
    recalibration. Scores the predictions against the outcomes, next to the baselines. Uses no database.
    """
    from monitor.documents.backtest import backtest_document  # noqa: PLC0415
    from monitor.reports.backtest import backtest_report  # noqa: PLC0415
    from monitor.reports.plots import check_plot  # noqa: PLC0415
    from monitor.sampling.trace_reader import read_trace  # noqa: PLC0415
    from monitor.system.processes import lower_priority  # noqa: PLC0415
    from monitor.training.backtest import backtest_anomalies, backtest_forecasts  # noqa: PLC0415

    if (predictions or plot) and len(traces) > 1:
        raise click.UsageError("--predictions and --plot need a single trace")
    config = load_configuration(options)
    if plot:
        check_plot(plot)
    lower_priority()
    for path in traces:
        trace = read_trace(path, interpretation)
        result = backtest_forecasts(trace, config, train_until, retrain=not no_retrain)
        anomalies = backtest_anomalies(trace, config, float(result.times[0]), retrain=not no_retrain)
        document = backtest_document(path, trace, result, anomalies)
        # Print the report even if a file cannot be written: computing it takes minutes.
        problems = _write_files(result, anomalies, predictions, plot)
        print_result(options, document, backtest_report(document), to_stderr=STANDARD_OUTPUT in (predictions, plot))
        if problems:
            raise MonitorError("\n".join(problems))
    return ExitCode.DONE


def _write_files(
    result: BacktestResult, anomalies: AnomalyBacktest | None, predictions: Path | None, plot: Path | None
) -> list[str]:
    """Write predictions (CSV) and plot unless None; return one message per file that could not be written."""
    from monitor.reports.plots import plot_backtest  # noqa: PLC0415
    from monitor.sampling.trace_writer import open_text_output  # noqa: PLC0415
    from monitor.training.backtest import prediction_lines  # noqa: PLC0415

    problems = []
    if predictions:
        try:
            with open_text_output(predictions) as file:
                file.writelines(prediction_lines(result, anomalies))
        except MonitorError as error:
            problems.append(str(error))
    if plot:
        try:
            plot_backtest(result, plot)
        except MonitorError as error:
            problems.append(str(error))
    return problems
