"""Action documents: permission to record verdicts, notes and maintenance windows over HTTP."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ActionsDocument:
    """Permission of a client to record something; result of /api/v1/actions.

    Attributes:
        permitted: True if the client may record verdicts, notes and maintenance windows.
        token: token that each action needs; empty if actions are not permitted.
        reason: reason why actions are not permitted; empty if they are.
    """

    permitted: bool
    token: str = ""
    reason: str = ""


ACTIONS_OFF = ActionsDocument(permitted=False, reason="actions are off: set web.actions = true to enable them")
"""Permission while `web.actions` is false."""
