"""Dashboard of prediction quality."""

from __future__ import annotations

from dashboards.page import Page
from dashboards.panels import (
    GREEN,
    ORANGE,
    RATIO,
    RED,
    Query,
    bar_gauge,
    metric,
    override,
    per_horizon,
    stat,
    state_timeline,
    threshold_steps,
    time_series,
    value_mappings,
)
from dashboards.quality_inputs import inputs
from dashboards.tables import BASE_RATE, PREDICTOR, column, table

PREDICTORS = (
    (1, "model", GREEN),
    (2, "current value", ORANGE),
    (3, "Holt-Winters", "yellow"),
    (4, "reduced model", "blue"),
    (5, "persistence", "purple"),
    (6, "pretrained model", "dark-green"),
)


def quality() -> Page:
    """Return the dashboard of live and holdout scores."""
    name = "{{horizon}}"
    skill = threshold_steps(RED, (0, ORANGE), (0.1, GREEN))
    live = [
        table(
            "The last 7 days",
            "Predictions of the last 7 days against their outcomes. Skill is the relative reduction of the base "
            "rate's Brier score: 0 is no better than the base rate. Empty until outcomes are known.",
            [
                column("skill", per_horizon("live_brier_skill"), decimals=2, thresholds=skill),
                column("Brier score", per_horizon("live_brier_score"), decimals=4),
                column("precision", per_horizon("live_precision"), "percentunit", decimals=0),
                column("recall", per_horizon("live_recall"), "percentunit", decimals=0),
                column("lead time", per_horizon("live_lead_time_seconds"), "s", decimals=0),
                column("scored", per_horizon("live_predictions_scored"), "short", decimals=0),
                BASE_RATE,
                column("served by", PREDICTOR),
            ],
            14,
            7,
        ),
        state_timeline(
            "Serving predictor",
            "The model; the reduced model, without metrics outside their training range; the pretrained model, at a "
            "horizon with too few examples; or a baseline, while it is more accurate.",
            [
                Query(
                    "sum by (horizon) ("
                    + " or ".join(
                        f"{number} * " + metric("high_load_served_by", f'predictor="{predictor}"')
                        for number, predictor, _ in PREDICTORS
                    )
                    + ")",
                    name,
                )
            ],
            10,
            7,
            mappings=value_mappings(*PREDICTORS),
        ),
        time_series(
            "Brier skill",
            "Brier skill over the base rate in the last 7 days. Dashed: of the serving model on its holdout. Below "
            "0, the base rate is better.",
            [
                Query(metric("live_brier_skill"), name),
                Query(metric("model_holdout_brier_skill"), "holdout {{horizon}}"),
            ],
            "none",
            max=1,
            decimals=2,
            thresholds=threshold_steps("transparent", (0, RED)),
            overrides=[override("/^holdout/", custom__lineStyle={"fill": "dash", "dash": [8, 6]})],
        ),
        time_series(
            "Precision of the warnings",
            "Share of correct warnings in the last 7 days. The thresholds are chosen for `warning.precision`, 80 % "
            "by default.",
            [Query(metric("live_precision"), name)],
            "percentunit",
            **RATIO,
        ),
        time_series(
            "Recall of the warnings",
            "Share of the predictions before high load that were warnings, in the last 7 days.",
            [Query(metric("live_recall"), name)],
            "percentunit",
            **RATIO,
        ),
        time_series(
            "Lead time",
            "Median time from warning to high load in the last 7 days.",
            [Query(metric("live_lead_time_seconds"), name)],
            "s",
            min=0,
        ),
        time_series(
            "High-load periods",
            "High-load periods of the last 7 days, announced by a warning within the horizon before or missed.",
            [Query(metric("live_periods"), "{{horizon}} {{outcome}}")],
            "short",
            min=0,
        ),
        time_series(
            "False warnings",
            "Warnings of the last 7 days within one horizon after which load was not high.",
            [Query(metric("live_false_warnings_per_week"), name)],
            "short",
            min=0,
        ),
        time_series(
            "Brier score",
            "Mean squared error of the probabilities in the last 7 days; 0 is perfect. It depends on the base rate: "
            "compare hosts by skill.",
            [Query(metric("live_brier_score"), name)],
            "none",
            min=0,
        ),
        time_series(
            "Predictions scored",
            "Predictions of the last 7 days with a known outcome. Outcomes with missing samples are unknown.",
            [Query(metric("live_predictions_scored"), name)],
            "short",
            min=0,
        ),
    ]
    model = [
        stat(
            "Model",
            "Id of the serving model; `monitor models show` has its details.",
            Query(metric("model_info"), "{{model_id}}"),
            text="name",
            noValue="none",
        ),
        stat(
            "Ready",
            "1 while a model serves, including the pretrained model.",
            Query(metric("model_ready")),
            mappings=value_mappings((0, "no", RED), (1, "yes", GREEN)),
        ),
        stat(
            "Trained",
            "Training time of the serving model.",
            Query(metric("model_trained_timestamp_seconds") + " * 1000"),
            "dateTimeFromNow",
            width=5,
        ),
        stat(
            "Training samples",
            "Number of samples that the serving model was trained on.",
            Query(metric("model_training_samples")),
            "short",
            width=4,
        ),
        stat(
            "Features",
            "Number of features of the serving model.",
            Query(metric("model_info"), "{{features}}"),
            text="name",
        ),
        stat(
            "Last prediction",
            "Time since the last prediction.",
            Query("time() - " + metric("prediction_timestamp_seconds")),
            "s",
            decimals=0,
            thresholds=threshold_steps(GREEN, (60, ORANGE), (300, RED)),
            noValue="none",
        ),
        stat(
            "Drifted metrics",
            "Number of metrics that differ from the training data (population stability index above 0.25).",
            Query(f"count({metric('input_drift')} > 0.25) or 0 * count({metric('input_drift')})"),
            thresholds=threshold_steps(GREEN, (1, ORANGE)),
            noValue="unknown",
        ),
        table(
            "Holdout",
            "Scores of the serving model on its holdout, at training time. Average precision measures the ranking "
            "of times, calibration error the difference between probability and frequency.",
            [
                column(
                    "skill",
                    per_horizon("model_holdout_brier_skill"),
                    decimals=2,
                    thresholds=threshold_steps(RED, (0, ORANGE), (0.1, GREEN)),
                ),
                column("Brier score", per_horizon("model_holdout_brier_score"), decimals=4),
                column("average precision", per_horizon("model_holdout_average_precision"), decimals=2),
                column("calibration error", per_horizon("model_holdout_calibration_error"), decimals=3),
                BASE_RATE,
            ],
            14,
            7,
        ),
        bar_gauge(
            "Blend weights",
            "Weight of each expert at normal load: the networks of this host, the load table, and the pretrained "
            "model, which fades out over the first three weeks.",
            Query(metric("model_share_ratio"), "{{horizon}} {{expert}}"),
            "percentunit",
            (10, 7),
            decimals=0,
            **RATIO,
        ),
    ]
    return Page(
        "quality",
        "monitor / Prediction quality",
        "Predictions against outcomes, and the state of the serving model.",
        "now-30d",
        "5m",
        [("Live", live), ("Serving model", model), ("Inputs", inputs())],
    )
