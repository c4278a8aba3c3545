"""Checks of training runs and predictions: outcomes, gradients, live skill, input drift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from monitor.doctor.context import DoctorContext
from monitor.doctor.results import DATABASE_NOT_READ, failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.queries.drift import DRIFT_THRESHOLD
from monitor.queries.overview import Overview, ServingFallback
from monitor.queries.scores import HorizonScore
from monitor.system.formatting import format_duration
from monitor.training.records import CompletedRun
from storage import TrainingOutcome

MANY_REFUSALS = 3
"""Number of consecutive refused or failed training runs from which the check warns."""

MIN_SCORED = 1000
"""Smallest number of predictions with a known outcome for which a skill is assessed."""

UNSUCCESSFUL = (TrainingOutcome.REFUSED, TrainingOutcome.FAILED)


def check_trainings(context: DoctorContext) -> Iterator[CheckResult]:
    """Check the outcomes of the last training runs, and the gradients of the last network."""
    if context.records is None:
        yield skipped(CheckId.TRAININGS, DATABASE_NOT_READ)
        return
    yield assess_trainings(context.records.runs)
    yield assess_gradients(context.records.runs)


def assess_trainings(runs: Sequence[CompletedRun]) -> CheckResult:
    """Return a failure if the newest run failed; a warning if the last MANY_REFUSALS runs were refused or failed.

    Args:
        runs: training runs, newest first.
    """
    if not runs:
        return skipped(CheckId.TRAININGS, "no training run yet")
    last = runs[0]
    unsuccessful = sum(1 for _ in takewhile(lambda run: run.outcome in UNSUCCESSFUL, runs))
    message = f"last run {last.outcome}{': ' + last.reason if last.reason else ''}"
    if last.outcome == TrainingOutcome.FAILED:
        message += f"; {unsuccessful} runs in a row without a promotion"
        return failed(CheckId.TRAININGS, message, "reproduce the failure: `monitor retrain`")
    if unsuccessful >= MANY_REFUSALS:
        message += f"; {unsuccessful} runs in a row without a promotion"
        fix = "see the scores: `monitor retrain --dry-run`; docs/runbooks/MonitorRetrainRefused.md"
        return warning(CheckId.TRAININGS, message, fix)
    return ok(CheckId.TRAININGS, message)


def assess_gradients(runs: Sequence[CompletedRun]) -> CheckResult:
    """Return a warning if the newest fitted network had vanishing, exploding or non-finite gradients.

    Args:
        runs: training runs, newest first.
    """
    reports = (run.report for run in runs if run.report is not None)
    health = next((report.health for report in reports if report.health is not None), None)
    if health is None:
        return skipped(CheckId.GRADIENTS, "no network has been fitted yet")
    steps = f"{health.clipped_steps} of {health.steps} steps clipped, {health.nonfinite_steps} not finite"
    message = f"{health.state}, {steps}"
    if health.state == "healthy" and not health.nonfinite_steps:
        return ok(CheckId.GRADIENTS, message)
    fix = next(iter(health.advice), "docs/runbooks/MonitorTrainingUnhealthy.md")
    return warning(CheckId.GRADIENTS, message, fix)


def check_predictions(context: DoctorContext) -> Iterator[CheckResult]:
    """Check the live skill of the predictions, and the drift of the inputs."""
    if context.records is None:
        yield skipped(CheckId.LIVE_SKILL, DATABASE_NOT_READ)
        return
    overview = context.records.overview
    yield assess_skill(overview.scores, overview.fallbacks)
    yield assess_drift(overview)


def assess_skill(scores: Sequence[HorizonScore], fallbacks: Sequence[ServingFallback]) -> CheckResult:
    """Return a warning if a fallback serves, or if the predictions of a horizon are worse than the base rate.

    Skipped if no horizon has a skill and at least MIN_SCORED predictions with a known outcome.

    Args:
        scores: scores of the predictions of the last 7 days for each horizon.
        fallbacks: baselines that serve instead of the model.
    """
    scored = [score for score in scores if score.score.scored >= MIN_SCORED]
    skills = [(score.horizon, score.score.skill) for score in scored if score.score.skill is not None]
    message = ", ".join(f"{format_duration(horizon)} {skill:+.2f}" for horizon, skill in skills)
    if not skills:
        reason = f"fewer than {MIN_SCORED} predictions have a known outcome, or none of them was high load"
        return skipped(CheckId.LIVE_SKILL, reason)
    if fallbacks:
        serving = ", ".join(map(_describe_fallback, fallbacks))
        fix = "run `monitor retrain`; details: `monitor report`"
        return warning(CheckId.LIVE_SKILL, f"{message}; fallbacks serve: {serving}", fix)
    if min(skill for _, skill in skills) < 0:
        fix = "see the scores: `monitor report`, then run `monitor retrain`"
        return warning(CheckId.LIVE_SKILL, f"{message}: worse than the base rate", fix)
    return ok(CheckId.LIVE_SKILL, f"{message} over the base rate, last 7 days")


def _describe_fallback(fallback: ServingFallback) -> str:
    return f"{fallback.baseline} at {format_duration(fallback.horizon)} while load is {fallback.load}"


def assess_drift(overview: Overview) -> CheckResult:
    """Return a warning if the population stability index of a metric reaches DRIFT_THRESHOLD.

    The index compares the samples of the last day with the training data.
    """
    drifted = [f"{name} {value:.2f}" for name, value in overview.drift.items() if value >= DRIFT_THRESHOLD]
    if drifted:
        message = (
            f"the last day differs from the training data: {', '.join(drifted)} (index, limit {DRIFT_THRESHOLD})"
        )
        fix = "if the change is permanent, run `monitor retrain`"
        return warning(CheckId.INPUT_DRIFT, message, fix)
    if overview.drift:
        return ok(CheckId.INPUT_DRIFT, f"{len(overview.drift)} metrics are distributed as in the training data")
    reason = "the model has no reference distribution, or there is less than a day of samples"
    return skipped(CheckId.INPUT_DRIFT, reason)
