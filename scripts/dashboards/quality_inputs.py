"""Dashboard panels of the inputs of the serving model."""

from __future__ import annotations

from dashboards.panels import GREEN, ORANGE, Json, Query, bar_gauge, metric, threshold_steps, time_series


def inputs() -> list[Json]:
    """Return the panels of input drift and of metrics outside their training range."""
    return [
        bar_gauge(
            "Input drift now",
            "Population stability index of the last day against the training data, per metric. 0.1 is noticeable; "
            "above 0.25 expect worse predictions until the next training run.",
            Query(f"sort_desc({metric('input_drift')})", "{{metric}}"),
            "none",
            (10, 9),
            decimals=2,
            min=0,
            max=0.5,
            thresholds=threshold_steps(GREEN, (0.1, "yellow"), (0.25, ORANGE)),
        ),
        time_series(
            "Input drift",
            "Input drift over time. It falls after a training run on newer data.",
            [Query(metric("input_drift"), "{{metric}}")],
            "none",
            width=10,
            height=9,
            min=0,
            thresholds=threshold_steps("transparent", (0.25, ORANGE)),
            reach=0.3,
        ),
        bar_gauge(
            "Out of range",
            "1: the metric is outside its training range now, and the model predicts without it.",
            Query(f"sort_desc({metric('input_out_of_range')})", "{{metric}}"),
            "none",
            (4, 9),
            thresholds=threshold_steps(GREEN, (1, ORANGE)),
        ),
    ]
