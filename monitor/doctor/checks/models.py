"""Whether something predicts and watches, for what is asked, and how well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from model.anomaly.serialization import loads_detector
from model.errors import SerializationError
from model.forecast.serialization import loads
from monitor.config.loader import Config
from monitor.doctor.context import Evidence, Stored
from monitor.doctor.results import Result, failed, ok, skipped, warning
from monitor.queries.scores import HorizonScore
from monitor.queries.status import DRIFTED, Overview
from monitor.system.formatting import approximate_duration, format_duration
from monitor.training.bootstrap_model import task_differences
from monitor.training.records import CompletedRun, RegisteredModel

OLD = 2.0
"""Intervals between trainings from which on a model is old."""

REFUSED_OFTEN = 3
"""Trainings in a row that brought nothing."""

SCORED_ENOUGH = 1000
"""Predictions from which on a skill says something."""


def serving(evidence: Evidence) -> Iterator[Result]:
    """What serves: whether it can be loaded, and answers what is asked."""
    stored = evidence.stored
    if stored is None:
        yield skipped("model", "the database could not be read")
        return
    model = stored.overview.model
    if model is None:
        yield warning("model", f"none serves yet: {stored.overview.waiting_for}", _patience(stored.overview))
        return
    yield judge_bytes(model, stored)
    yield judge_task(model, evidence.config)
    yield judge_age(model, stored.overview, evidence.config)


def _patience(overview: Overview) -> str:
    if overview.covered < overview.needed:
        return "let the daemon sample, or bring a history in: monitor import"
    return "see what a training says: monitor retrain --dry-run"


def judge_bytes(model: RegisteredModel, stored: Stored) -> Result:
    """Whether the serving model is what was registered, and can be loaded."""
    mend = "go back to the one before: monitor models rollback; then train: monitor retrain"
    if stored.blob is None:
        return failed("model", stored.blob_error, mend)
    try:
        predictor = loads(stored.blob)
    except SerializationError as error:
        return failed("model", f"model {model.id} cannot be loaded: {error}", mend)
    what = "a prior learned on other hosts" if model.pretrained else f"{len(predictor.ensemble.networks)} networks"
    return ok("model", f"{model.id} serves, {what}, {model.size} bytes, sha256 {model.sha256[:12]} right")


def judge_task(model: RegisteredModel, config: Config) -> Result:
    """Whether the serving model was made for the configured rules and horizons."""
    report = model.report
    if report is None or not (report.pretrained or report.task):
        return skipped("question", f"model {model.id} does not tell what it was trained for")
    other = task_differences(report, config)
    if other:
        told = f"model {model.id} was made for other {', '.join(other)} than are configured"
        return warning("question", told, "monitor retrain; a restart of the daemon lets the prior serve until then")
    return ok("question", f"rules and horizons ({_horizons(config)}) are those configured")


def _horizons(config: Config) -> str:
    return ", ".join(format_duration(horizon) for horizon in config.high_load.horizons)


def judge_age(model: RegisteredModel, overview: Overview, config: Config) -> Result:
    """Whether the serving model is of this host, and young enough."""
    age = max(0.0, overview.at - model.created_at)
    if model.pretrained:
        # An explanation, no fault: what is wrong with the trainings is told of them.
        return ok(
            "model age", f"the prior serves since {approximate_duration(age)}; of this host: {overview.waiting_for}"
        )
    if age > OLD * config.training.interval:
        mend = "see why no training passes: monitor status; monitor retrain --dry-run"
        return warning(
            "model age",
            f"{approximate_duration(age)}, training.interval is {approximate_duration(config.training.interval)}",
            mend,
        )
    return ok("model age", approximate_duration(age))


def trainings(evidence: Evidence) -> Iterator[Result]:
    """How the last ones went."""
    if evidence.stored is None:
        yield skipped("trainings", "the database could not be read")
        return
    yield judge_trainings(evidence.stored.runs)
    yield judge_gradients(evidence.stored.runs)


def judge_trainings(runs: Sequence[CompletedRun]) -> Result:
    """Whether trainings bring models, newest first."""
    if not runs:
        return skipped("trainings", "there was none yet")
    last = runs[0]
    told = f"last {last.outcome}{': ' + last.reason if last.reason else ''}"
    in_vain = sum(1 for _ in takewhile(lambda run: run.outcome in ("refused", "failed"), runs))
    if last.outcome == "failed":
        return failed("trainings", f"{told}; {in_vain} in a row brought nothing", "see it fail: monitor retrain")
    if in_vain >= REFUSED_OFTEN:
        mend = "see by how much: monitor retrain --dry-run; docs/runbooks/MonitorRetrainRefused.md"
        return warning("trainings", f"{told}; {in_vain} in a row brought nothing", mend)
    return ok("trainings", told)


def judge_gradients(runs: Sequence[CompletedRun]) -> Result:
    """What the last training with a network says of its gradients."""
    reports = (run.report for run in runs if run.report is not None)
    health = next((report.health for report in reports if report.health is not None), None)
    if health is None:
        return skipped("gradients", "no network has been trained yet")
    clipped = f"{health.clipped_steps} of {health.steps} steps clipped, {health.nonfinite_steps} not finite"
    if health.state == "healthy" and not health.nonfinite_steps:
        return ok("gradients", f"healthy, {clipped}")
    mend = next(iter(health.advice), f"docs/runbooks/MonitorGradients{health.state.capitalize()}.md")
    return warning("gradients", f"{health.state}, {clipped}", mend)


def quality(evidence: Evidence) -> Iterator[Result]:
    """How good the predictions were, and whether the host is still the one that was learned."""
    if evidence.stored is None:
        yield skipped("live skill", "the database could not be read")
        return
    overview = evidence.stored.overview
    yield judge_skill(overview.scores, overview.instead)
    far = [f"{name} {value:.2f}" for name, value in overview.drift if value >= DRIFTED]
    if far:
        told = f"the last day is not like the training: {', '.join(far)} (index, {DRIFTED} is far)"
        yield warning("input drift", told, "monitor retrain, if the host is to go on like that")
    elif overview.drift:
        yield ok("input drift", f"{len(overview.drift)} metrics are like in the training")
    else:
        yield skipped("input drift", "nothing to compare with: the model tells no inputs, or there is no day of them")


def judge_skill(scores: Sequence[HorizonScore], instead: Sequence[tuple[float, str, str]]) -> Result:
    """Whether the predictions of 7 days were better than the base rate."""
    known = [(found.horizon, found.score.skill) for found in scores if found.score.scored >= SCORED_ENOUGH]
    told = ", ".join(f"{format_duration(h)} {skill:+.2f}" for h, skill in known if skill is not None)
    if not told:
        return skipped(
            "live skill", f"fewer than {SCORED_ENOUGH} predictions have an outcome, or none was of high load"
        )
    if instead:
        stood_in = ", ".join(f"{name} at {format_duration(h)} while {state}" for h, state, name in instead)
        return warning(
            "live skill", f"{told}; baselines serve: {stood_in}", "monitor retrain; monitor report tells more"
        )
    if any(skill is not None and skill < 0 for _, skill in known):
        return warning("live skill", f"{told}: worse than the base rate", "monitor report; then monitor retrain")
    return ok("live skill", f"{told} over the base rate, of 7 days")


def detector(evidence: Evidence) -> Iterator[Result]:
    """Whether anomalies are watched for."""
    stored = evidence.stored
    if stored is None:
        yield skipped("detector", "the database could not be read")
        return
    overview = stored.overview
    if not overview.watching:
        yield skipped("detector", f"nothing watches for anomalies: {overview.watching_waits_for}")
        return
    try:
        found = loads_detector(stored.detector or b"")
    except SerializationError as error:
        yield failed("detector", f"cannot be loaded: {error}", "monitor retrain learns another")
        return
    yield ok("detector", f"watches {len(found.metrics)} metrics, {overview.anomalies} anomalies in 30 days")
