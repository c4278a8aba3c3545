"""The health of the trainings."""

from __future__ import annotations

from dashboards.parts import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RATIO,
    RED,
    Page,
    Query,
    bars,
    fixed,
    lines,
    look,
    metric,
    stat,
    steps,
    timeline,
    words,
)


def training() -> Page:
    """The health of the last training, and when the next is due."""
    states = words((1, "healthy", GREEN), (2, "vanishing", ORANGE), (3, "exploding", RED))
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
            "Verdict on the gradients of the last training. `monitor models show` says why and what to do.",
            Query(state),
            mappings=states,
            noValue="no training yet",
        ),
        stat(
            "Retraining",
            "Whether one is under way.",
            Query(metric("retrain_running")),
            mappings=words((0, "idle", "text"), (1, "running", BLUE)),
        ),
        stat(
            "Next",
            "When the next retraining is due. Empty while there is not enough history.",
            Query(metric("retrain_next_timestamp_seconds") + " * 1000"),
            "dateTimeFromNow",
            noValue="not planned",
        ),
        stat(
            "Last attempt",
            "When the last retraining began, whatever came of it.",
            Query(metric("retrain_last_attempt_timestamp_seconds") + " * 1000"),
            "dateTimeFromNow",
            noValue="never",
        ),
        stat(
            "Last promotion",
            "When a retraining last brought a new model into service.",
            Query(metric("retrain_last_success_timestamp_seconds") + " * 1000"),
            "dateTimeFromNow",
            noValue="never",
        ),
        stat(
            "Clipped steps",
            "Steps whose gradient was clipped to `training.gradient_clip`. Some are usual, more than half are not.",
            Query(metric("training_clipped_steps")),
            "short",
            decimals=0,
        ),
        stat(
            "Non-finite steps",
            "Steps whose gradient was not finite. There should be none: lower the learning rate.",
            Query(metric("training_nonfinite_steps")),
            "short",
            decimals=0,
            thresholds=steps(GREEN, (1, RED)),
        ),
        stat("Epochs", "Epochs of the last training.", Query(metric("training_epochs")), "short", decimals=0),
    ]
    gradients = [
        lines(
            "Gradient norm, last epoch",
            "L2 norm of each parameter's gradient, mean of the last epoch. The networks of the ensemble are told as "
            "one. Below `training.vanishing_gradient` (1e-7 by default) a weight matrix no longer learns.",
            [Query(metric("training_gradient_norm"), "{{parameter}}")],
            "sci",
            log=True,
            step=True,
            legend=["lastNotNull"],
            thresholds=steps("transparent", (1e-7, ORANGE)),
            height=9,
        ),
        lines(
            "Largest gradient norm",
            "Largest L2 norm of each parameter's gradient in the training, before clipping. Above "
            "`training.exploding_gradient` (100 by default) it explodes.",
            [Query(metric("training_gradient_norm_max"), "{{parameter}}")],
            "sci",
            log=True,
            step=True,
            legend=["lastNotNull"],
            thresholds=steps("transparent", (100, RED)),
            height=9,
        ),
        lines(
            "Update ratio",
            "L2 norm of the update over that of the weight, mean of the last epoch. Around 1e-3 is usual in "
            "mid-training; a falling learning rate ends lower. Towards 1 weights are overwritten, far below 1e-6 "
            "nothing moves.",
            [Query(metric("training_update_ratio"), "{{parameter}}")],
            "sci",
            log=True,
            step=True,
            legend=["lastNotNull"],
            height=9,
        ),
        lines(
            "Dead units",
            "Share of the units of each activation layer that no row of the newest fifth woke. From 40 % on the "
            "report of the training says so.",
            [Query(metric("training_dead_unit_ratio"), "layer {{layer}}")],
            "percentunit",
            step=True,
            thresholds=steps("transparent", (0.4, ORANGE)),
            **RATIO,
        ),
        lines(
            "Saturated outputs",
            "Share of the outputs of a tanh or sigmoid layer that lay at one of its ends. Empty with ReLU, the "
            "default, which has none.",
            [Query(metric("training_activation_saturation_ratio"), "layer {{layer}}")],
            "percentunit",
            step=True,
            thresholds=steps("transparent", (0.5, ORANGE)),
            **RATIO,
        ),
        timeline(
            "Verdict",
            "Verdict on the gradients of each training.",
            [Query(state, "gradients")],
            8,
            8,
            mappings=states,
        ),
    ]
    course = [
        lines(
            "Loss",
            "Mean binary cross-entropy of the kept epoch, in nats. Validation far above training: it learned by "
            "heart.",
            [Query(metric("training_loss"), "{{split}}")],
            "none",
            step=True,
            decimals=3,
            min=0,
        ),
        lines(
            "Duration",
            "How long each training took. After `training.timeout`, 10 minutes by default, it is ended.",
            [Query(metric("training_duration_seconds"), "duration")],
            "s",
            step=True,
            min=0,
        ),
        lines(
            "Peak memory",
            "Largest memory of the trainer, a process of its own.",
            [Query(metric("training_peak_memory_bytes"), "memory")],
            "bytes",
            step=True,
            min=0,
        ),
        lines(
            "Retrainings a day",
            "By what came of them. Refused is not wrong: the gate kept the model that serves. Failed is.",
            [Query(f"round(increase({metric('retrain_runs_total')}[$__interval]))", "{{outcome}}")],
            "short",
            width=16,
            bars=True,
            stack="normal",
            min=0,
            decimals=0,
            interval="1d",
            overrides=[
                look("promoted", color=fixed(GREEN)),
                look("refused", color=fixed("yellow")),
                look("skipped", color=fixed(GREY)),
                look("failed", color=fixed(RED)),
            ],
        ),
        bars(
            "Retrainings ever",
            "By what came of them, over all starts of the daemon.",
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
        "Whether the last training was healthy, what came of the retrainings, and when the next is due.",
        "now-30d",
        "5m",
        [("", now), ("Gradients and layers", gradients), ("Course and outcome", course)],
    )
