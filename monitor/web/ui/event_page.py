"""Page of one anomaly event: template rendering of its details document."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.documents.anomalies import AnomalyDetailsDocument
from monitor.documents.anomalies.actions import ACTIONS_OFF, ActionsDocument
from monitor.operator_input import MAX_NOTE
from monitor.reports.anomalies import CHANNELS, SMALLEST_CONTRIBUTION
from monitor.web.api import Api, ApiError
from monitor.web.ui.environment import environment
from monitor.web.ui.event_charts import event_charts, time_ticks
from storage import StorageError


@dataclass(frozen=True)
class RenderedPage:
    """HTML page and its HTTP status code."""

    code: int
    html: str


def render_event_page(api: Api, host: str, event_id: str, actions: ActionsDocument = ACTIONS_OFF) -> RenderedPage:
    """Return the page of an anomaly event; a page with the error if there is no such event or it cannot be read.

    Args:
        api: source of the document.
        host: name of this machine.
        event_id: ID of the event, as part of the path.
        actions: permission to record a verdict.
    """
    try:
        return RenderedPage(200, _event_html(api.anomaly(event_id), host, actions))
    except ApiError as error:
        return RenderedPage(error.code, render_error_page(host, str(error)))
    except StorageError as error:
        return RenderedPage(503, render_error_page(host, str(error)))


def _event_html(event: AnomalyDetailsDocument, host: str, actions: ActionsDocument) -> str:
    charts = event_charts(event)
    return (
        environment()
        .get_template("event.html")
        .render(
            host=host,
            event=event,
            actions=actions,
            max_note=MAX_NOTE,
            evidence=CHANNELS.get(event.channel, event.channel),
            values=[value for value in event.values if value.contribution >= SMALLEST_CONTRIBUTION],
            charts=charts,
            ticks=time_ticks(event.curves) if charts and event.curves is not None else (),
        )
    )


def render_error_page(host: str, message: str) -> str:
    """Return a page with an error message."""
    return environment().get_template("error.html").render(host=host, message=message)
