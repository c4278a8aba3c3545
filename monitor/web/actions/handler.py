"""Handler of actions: routes, responses to forms and to the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from monitor.system.json_codec import to_json
from monitor.web.actions.access import TOKEN_FIELD, ActionAccess, client, user_name
from monitor.web.actions.body import is_form, read_body
from monitor.web.actions.operations import Actor, Operations
from monitor.web.api import ANOMALIES_PATH, MAINTENANCE_PATH, ApiError
from monitor.web.responses import HTML, JSON, TEXT, Response
from storage import StorageError, UnknownAnomalyError

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


END_SUFFIX = "/end"
"""End of the path that ends a maintenance window."""


class Perform(Protocol):
    """Operation of an action on the fields of a request."""

    def __call__(self, operations: Operations, fields: Mapping[str, str], actor: Actor, /) -> object: ...


@dataclass(frozen=True)
class Action:
    """Action of one path.

    Attributes:
        perform: operation, which returns the document of the response.
        page: path of the page that a form returns to.
    """

    perform: Perform
    page: str


def find_action(path: str) -> Action | None:
    """Return the action of a path; None if the path has none."""
    if path == MAINTENANCE_PATH:
        return Action(lambda operations, fields, actor: operations.add_window(fields, actor), "/maintenance")
    if path.startswith(f"{MAINTENANCE_PATH}/") and path.endswith(END_SUFFIX):
        window = path.removeprefix(f"{MAINTENANCE_PATH}/").removesuffix(END_SUFFIX)
        return Action(lambda operations, fields, actor: operations.end_window(window, fields, actor), "/maintenance")
    if path.startswith(f"{ANOMALIES_PATH}/"):
        event = path.removeprefix(f"{ANOMALIES_PATH}/")
        page = f"/anomalies/{event}" if event.isascii() and event.isdigit() else "/"
        return Action(lambda operations, fields, actor: operations.label_event(event, fields, actor), page)
    return None


class ActionHandler:
    """Handler of POST requests that record something."""

    def __init__(
        self,
        access: ActionAccess,
        operations: Callable[[], Operations],
        error_page: Callable[[str], str],
    ) -> None:
        """Initialize the handler.

        Args:
            access: decides which requests are admitted.
            operations: returns the operations; raises ApiError while the database is not open.
            error_page: returns the HTML page of an error message.
        """
        self._access = access
        self._operations = operations
        self._error_page = error_page

    def handle(self, action: Action, environ: WSGIEnvironment) -> Response:
        """Return the response to a POST request: a redirect for a form, else the document of the action."""
        try:
            document = self._perform(action, environ)
        except ApiError as error:
            return self._error(error, environ)
        if is_form(environ):
            return Response(303, TEXT, b"", additional_headers=(("Location", action.page),))
        return Response(200, JSON, to_json(document).encode())

    def _perform(self, action: Action, environ: WSGIEnvironment) -> object:
        """Check a request, and return the document of its action; raise ApiError if it is refused or fails."""
        body = read_body(environ)
        fields = dict(body.fields)
        token = fields.pop(TOKEN_FIELD, "") if body.is_form else None
        self._access.check(environ, token)
        try:
            return action.perform(self._operations(), fields, Actor(user_name(environ), client(environ)))
        except UnknownAnomalyError as error:
            raise ApiError(404, str(error)) from error
        except StorageError as error:
            raise ApiError(503, str(error)) from error
        except ValueError as error:
            raise ApiError(400, str(error)) from error

    def _error(self, error: ApiError, environ: WSGIEnvironment) -> Response:
        """Return an error as a page for a form, else as a document."""
        if is_form(environ):
            return Response(error.code, HTML, self._error_page(str(error)).encode())
        return Response(error.code, JSON, to_json({"error": str(error)}).encode())
