"""How good the predictions are."""

from __future__ import annotations

from dashboards.parts import (
    GREEN,
    ORANGE,
    PREDICTOR,
    RATIO,
    RED,
    USUAL,
    Page,
    Query,
    bars,
    column,
    lines,
    look,
    metric,
    per_horizon,
    stat,
    steps,
    table,
    timeline,
    words,
)


def quality() -> Page:
    """How good the predictions are."""
    name = "{{horizon}}"
    live = [
        table(
            "The last 7 days",
            "The predictions of 7 days, held against what then happened. Skill is the share of the base rate's Brier "
            "score that is saved: 0 is no better than the base rate. Empty until there were outcomes to judge by.",
            [
                column(
                    "skill",
                    per_horizon("live_brier_skill"),
                    decimals=2,
                    thresholds=steps(RED, (0, ORANGE), (0.1, GREEN)),
                ),
                column("Brier score", per_horizon("live_brier_score"), decimals=4),
                column("precision", per_horizon("live_precision"), "percentunit", decimals=0),
                column("recall", per_horizon("live_recall"), "percentunit", decimals=0),
                column("lead time", per_horizon("live_lead_time_seconds"), "s", decimals=0),
                column("scored", per_horizon("live_predictions_scored"), "short", decimals=0),
                USUAL,
                column("served by", PREDICTOR),
            ],
            14,
            7,
        ),
        timeline(
            "Who serves",
            "The model, or a baseline that it has fallen behind for a week. A baseline for long means that this host "
            "has changed faster than the model learns.",
            [
                Query(
                    "sum by (horizon) ("
                    + metric("high_load_served_by", 'predictor="model"')
                    + " or 2 * "
                    + metric("high_load_served_by", 'predictor="current value"')
                    + " or 3 * "
                    + metric("high_load_served_by", 'predictor="Holt-Winters"')
                    + ")",
                    name,
                )
            ],
            10,
            7,
            mappings=words((1, "model", GREEN), (2, "current value", ORANGE), (3, "Holt-Winters", "yellow")),
        ),
        lines(
            "Brier skill",
            "Over the base rate, of 7 days. Dashed: of the serving model on data that it never saw. Below 0 the base "
            "rate alone would have been better.",
            [
                Query(metric("live_brier_skill"), name),
                Query(metric("model_holdout_brier_skill"), "holdout {{horizon}}"),
            ],
            "none",
            max=1,
            decimals=2,
            thresholds=steps("transparent", (0, RED)),
            overrides=[look("/^holdout/", custom__lineStyle={"fill": "dash", "dash": [8, 6]})],
        ),
        lines(
            "Precision of the warnings",
            "Share of the warnings of 7 days that came true. `warning.precision`, 80 % by default, is what the "
            "thresholds aim at.",
            [Query(metric("live_precision"), name)],
            "percentunit",
            **RATIO,
        ),
        lines(
            "Recall of the warnings",
            "Share of the predictions of 7 days before high load that were warnings.",
            [Query(metric("live_recall"), name)],
            "percentunit",
            **RATIO,
        ),
        lines(
            "Lead time",
            "Median time of a warning before high load, of 7 days.",
            [Query(metric("live_lead_time_seconds"), name)],
            "s",
            min=0,
        ),
        lines(
            "Brier score",
            "Mean squared error of the probabilities of 7 days; 0 is perfect. It rises with how often there is high "
            "load: compare the skill instead.",
            [Query(metric("live_brier_score"), name)],
            "none",
            min=0,
        ),
        lines(
            "Predictions scored",
            "Predictions of 7 days of which the outcome is known. What falls away was not watched throughout.",
            [Query(metric("live_predictions_scored"), name)],
            "short",
            min=0,
        ),
    ]
    model = [
        stat(
            "Model",
            "Number of the serving model in the registry; `monitor models show` tells all of it.",
            Query(metric("model_info"), "{{model_id}}"),
            text="name",
            noValue="none",
        ),
        stat(
            "Ready",
            "Whether a model serves at all, the shipped prior included.",
            Query(metric("model_ready")),
            mappings=words((0, "no", RED), (1, "yes", GREEN)),
        ),
        stat(
            "Trained",
            "When the serving model was trained.",
            Query(metric("model_trained_timestamp_seconds") + " * 1000"),
            "dateTimeFromNow",
            width=5,
        ),
        stat(
            "Made from",
            "Samples that the serving model was made from.",
            Query(metric("model_training_samples")),
            "short",
            width=4,
        ),
        stat(
            "Features",
            "How many features the serving model looks at.",
            Query(metric("model_info"), "{{features}}"),
            text="name",
        ),
        stat(
            "Last prediction",
            "Time since the last prediction; there is one with each sample.",
            Query("time() - " + metric("prediction_timestamp_seconds")),
            "s",
            decimals=0,
            thresholds=steps(GREEN, (60, ORANGE), (300, RED)),
            noValue="none",
        ),
        stat(
            "Metrics that drifted",
            "How many metrics have left the training far behind (population stability index above 0.25).",
            Query(f"count({metric('input_drift')} > 0.25) or 0 * count({metric('input_drift')})"),
            thresholds=steps(GREEN, (1, ORANGE)),
            noValue="unknown",
        ),
        table(
            "Holdout",
            "What the serving model was worth on data that it never saw, before it served. Average precision says "
            "how well moments are ranked; calibration error, how far what is said is off what comes.",
            [
                column(
                    "skill",
                    per_horizon("model_holdout_brier_skill"),
                    decimals=2,
                    thresholds=steps(RED, (0, ORANGE), (0.1, GREEN)),
                ),
                column("Brier score", per_horizon("model_holdout_brier_score"), decimals=4),
                column("average precision", per_horizon("model_holdout_average_precision"), decimals=2),
                column("calibration error", per_horizon("model_holdout_calibration_error"), decimals=3),
                USUAL,
            ],
            14,
            7,
        ),
        bars(
            "Shares of the voices",
            "How much each voice counts while load is calm: this host's networks, what each load was followed by, "
            "and the shipped prior, which fades in the first three weeks.",
            Query(metric("model_share_ratio"), "{{horizon}} {{voice}}"),
            "percentunit",
            (10, 7),
            decimals=0,
            **RATIO,
        ),
    ]
    drift = [
        bars(
            "Input drift now",
            "How far the last day has left the training, by metric (population stability index). From 0.1 on it "
            "can be seen, above 0.25 it is far: expect worse predictions until there is a new model.",
            Query(f"sort_desc({metric('input_drift')})", "{{metric}}"),
            "none",
            (10, 9),
            decimals=2,
            min=0,
            max=0.5,
            thresholds=steps(GREEN, (0.1, "yellow"), (0.25, ORANGE)),
        ),
        lines(
            "Input drift",
            "The same over time. It falls when a new model has learned from the newer days.",
            [Query(metric("input_drift"), "{{metric}}")],
            "none",
            width=14,
            height=9,
            min=0,
            thresholds=steps("transparent", (0.25, ORANGE)),
            reach=0.3,
        ),
    ]
    return Page(
        "quality",
        "monitor / Prediction quality",
        "How good the predictions were against what happened, and what the serving model rests on.",
        "now-30d",
        "5m",
        [("Live", live), ("The serving model", model), ("Its inputs", drift)],
    )
