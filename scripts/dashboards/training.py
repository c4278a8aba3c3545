"""Dashboard of training runs and gradient health."""

from __future__ import annotations

from dashboards.page import Page
from dashboards.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RATIO,
    RED,
    Query,
    bar_gauge,
    fixed_color,
    metric,
    override,
    stat,
    state_timeline,
    threshold_steps,
    time_series,
    value_mappings,
)


def training() -> Page:
    """Return the dashboard of gradient health, outcomes and schedule of training runs."""
    states = value_mappings((1, "healthy", GREEN), (2, "vanishing", ORANGE), (3, "exploding", RED))
    state = (
        "sum("
        + metric("training_gradient_state", 'state="healthy"')
        + " or 2 * "
        + metric("training_gradient_state", 'state="vanishing"')
        + " or 3 * "
        + metric("training_gradient_state", 'state="exploding"')
        + ")"
    )
    now = [
        stat(
            "Gradients",
            "Gradient state of the last training run. `monitor models show` has reasons and advice.",
            Query(state),
            mappings=states,
            noValue="no training run yet",
        ),
        stat(
            "Retraining",
            "1 during a training run.",
            Query(metric("retrain_running")),
            mappings=value_mappings((0, "idle", "text"), (1, "running", BLUE)),
        ),
        stat(
            "Next",
            "Time of the next training run. Empty while there is too little history.",
            Query(metric("retrain_next_timestamp_seconds") + " * 1000"),
            "dateTimeFromNow",
            noValue="not scheduled",
        ),
        stat(
            "Last attempt",
            "Start of the last training run, whatever its outcome.",
            Query(metric("retrain_last_attempt_timestamp_seconds") + " * 1000"),
            "dateTimeFromNow",
            noValue="never",
        ),
        stat(
            "Last promotion",
            "Time of the last promotion of a new model.",
            Query(metric("retrain_last_success_timestamp_seconds") + " * 1000"),
            "dateTimeFromNow",
            noValue="never",
        ),
        stat(
            "Clipped steps",
            "Steps with a gradient clipped to `training.gradient_clip`. Some are normal, more than half are not.",
            Query(metric("training_clipped_steps")),
            "short",
            decimals=0,
        ),
        stat(
            "Non-finite steps",
            "Steps with a gradient that was not finite. If there are any, lower the learning rate.",
            Query(metric("training_nonfinite_steps")),
            "short",
            decimals=0,
            thresholds=threshold_steps(GREEN, (1, RED)),
        ),
        stat("Epochs", "Epochs of the last training run.", Query(metric("training_epochs")), "short", decimals=0),
    ]
    gradients = [
        time_series(
            "Gradient norm, last epoch",
            "L2 norm of the gradient per parameter, mean of the last epoch, over all networks of the ensemble. Below "
            "`training.vanishing_gradient` (1e-7 by default) a weight matrix no longer learns.",
            [Query(metric("training_gradient_norm"), "{{parameter}}")],
            "sci",
            log=True,
            step=True,
            legend=["lastNotNull"],
            thresholds=threshold_steps("transparent", (1e-7, ORANGE)),
            height=9,
        ),
        time_series(
            "Largest gradient norm",
            "Largest L2 norm of the gradient per parameter before clipping. Above `training.exploding_gradient` "
            "(100 by default) the state is exploding.",
            [Query(metric("training_gradient_norm_max"), "{{parameter}}")],
            "sci",
            log=True,
            step=True,
            legend=["lastNotNull"],
            thresholds=threshold_steps("transparent", (100, RED)),
            height=9,
        ),
        time_series(
            "Update ratio",
            "L2 norm of the update over that of the weight, mean of the last epoch. Around 1e-3 is normal in the "
            "middle of a training run, less at its end. Near 1 weights are overwritten, far below 1e-6 they do not "
            "change.",
            [Query(metric("training_update_ratio"), "{{parameter}}")],
            "sci",
            log=True,
            step=True,
            legend=["lastNotNull"],
            height=9,
        ),
        time_series(
            "Dead units",
            "Share of units per activation layer that are inactive for every validation row. From 40 % on, the "
            "training report has advice.",
            [Query(metric("training_dead_unit_ratio"), "layer {{layer}}")],
            "percentunit",
            step=True,
            thresholds=threshold_steps("transparent", (0.4, ORANGE)),
            **RATIO,
        ),
        time_series(
            "Saturated outputs",
            "Share of outputs of a tanh or sigmoid layer close to one of its bounds. Empty with ReLU, the default.",
            [Query(metric("training_activation_saturation_ratio"), "layer {{layer}}")],
            "percentunit",
            step=True,
            thresholds=threshold_steps("transparent", (0.5, ORANGE)),
            **RATIO,
        ),
        state_timeline(
            "Gradient state",
            "Gradient state of each training run.",
            [Query(state, "gradients")],
            8,
            8,
            mappings=states,
        ),
    ]
    progress = [
        time_series(
            "Loss",
            "Mean binary cross-entropy of the kept epoch, in nats. Validation far above training means overfitting.",
            [Query(metric("training_loss"), "{{split}}")],
            "none",
            step=True,
            decimals=3,
            min=0,
        ),
        time_series(
            "Duration",
            "Duration of each training run. `training.timeout` (10 minutes by default) is the limit.",
            [Query(metric("training_duration_seconds"), "duration")],
            "s",
            step=True,
            min=0,
        ),
        time_series(
            "Peak memory",
            "Peak resident memory of the training process.",
            [Query(metric("training_peak_memory_bytes"), "memory")],
            "bytes",
            step=True,
            min=0,
        ),
        time_series(
            "Training runs per day",
            "By outcome. A refused run is no fault: the gate kept the incumbent. A failed run is a fault.",
            [Query(f"round(increase({metric('retrain_runs_total')}[$__interval]))", "{{outcome}}")],
            "short",
            width=16,
            bars=True,
            stack="normal",
            min=0,
            decimals=0,
            interval="1d",
            overrides=[
                override("promoted", color=fixed_color(GREEN)),
                override("refused", color=fixed_color("yellow")),
                override("skipped", color=fixed_color(GREY)),
                override("failed", color=fixed_color(RED)),
            ],
        ),
        bar_gauge(
            "Training runs in total",
            "By outcome, from the database.",
            Query(metric("retrain_runs_total"), "{{outcome}}"),
            "short",
            (8, 8),
            decimals=0,
            min=0,
        ),
    ]
    return Page(
        "training",
        "monitor / Training and gradients",
        "Gradient health of the last training run, outcomes of all runs, and time of the next run.",
        "now-30d",
        "5m",
        [("", now), ("Gradients and layers", gradients), ("Loss and outcome", progress)],
    )
