"""Microsoft Graph: sign-in, routing, query options, paging and error bodies."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from tests.microsoft365 import graph_objects as objects
from tests.microsoft365 import odata
from tests.microsoft365.graph_calls import Call, GraphError, Route, Row, denied
from tests.microsoft365.graph_routes import ROUTES
from tests.microsoft365.paging import Page, Pages, UnknownPageError
from tests.microsoft365.wire import Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.model.connection import Endpoints
    from tests.microsoft365.snapshot import Tenant
    from tests.microsoft365.tokens import TokenIssuer


class Graph:
    """Answers Graph requests about the tenant."""

    def __init__(
        self, tenant: Callable[[], Tenant], endpoints: Endpoints, tokens: TokenIssuer, page_size: int
    ) -> None:
        self._tenant, self._endpoints, self._tokens, self._page_size = tenant, endpoints, tokens, page_size
        self._pages = Pages()

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        try:
            return self._answer(request)
        except GraphError as error:
            return error_response(error, request)

    def _answer(self, request: Request) -> Response:
        grant = self._tokens.grant(request.headers.get("authorization", ""), self._endpoints.graph)
        if grant is None:
            raise GraphError(
                401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience."
            )
        if request.method != "GET":
            raise GraphError(
                405, "Request_BadRequest", "The HTTP method is not allowed for the request target."
            )
        version, _, rest = request.path.removeprefix("/").partition("/")
        if version not in {"v1.0", "beta"}:
            raise GraphError(404, "ResourceNotFound", f"Invalid version: {version}")
        route, arguments = _route(f"/{rest}", beta=version == "beta")
        if not grant.permissions & set(route.any_of):
            raise denied()
        call = Call(
            tenant=self._tenant(), grant=grant, request=request, arguments=arguments, beta=version == "beta"
        )
        return self._respond(route, call)

    def _respond(self, route: Route, call: Call) -> Response:
        query = call.request.query
        context = (
            f"{self._endpoints.graph}/{'beta' if call.beta else 'v1.0'}/$metadata#{route.path.strip('/')}"
        )
        if "$skiptoken" in query:
            return self._page_response(context, call, self._later_page(call))
        answer = route.handler(call)
        if isinstance(answer, dict):
            return json_response(
                200, {"@odata.context": f"{context}/$entity", **self._shape(route, call, [answer])[0]}
            )
        rows = self._shape(route, call, answer)
        page = self._pages.first(_page_key(call), rows, self._size(call))
        count = {"@odata.count": len(rows)} if query.get("$count") == "true" and call.eventual else {}
        return self._page_response(context, call, page, **count)

    def _shape(self, route: Route, call: Call, rows: list[Row]) -> list[Row]:
        query = call.request.query
        if route.filter_required and "$filter" not in query:
            raise GraphError(400, "MissingProvider", "The request needs a filter on principalId or groupId.")
        expand = query.get("$expand")
        if expand is not None and expand not in route.expands:
            raise GraphError(400, "BadRequest", f"Parsing OData Select and Expand failed: {expand}")
        try:
            rows = rows if route.filtered else odata.keep(rows, query.get("$filter"), route.filters)
            rows = [_expanded(call, row, expand) for row in rows] if expand else rows
            return odata.select(rows, query.get("$select"), always=(expand,) if expand else ())
        except odata.UnsupportedQueryError as error:
            raise GraphError(400, "Request_UnsupportedQuery", str(error)) from None

    def _size(self, call: Call) -> int:
        top = call.request.query.get("$top", "")
        return min(int(top), self._page_size) if top.isdecimal() and int(top) else self._page_size

    def _later_page(self, call: Call) -> Page:
        try:
            return self._pages.next(_page_key(call), call.request.query["$skiptoken"], self._size(call))
        except UnknownPageError:
            raise GraphError(
                400, "Directory_ExpiredPageToken", "The specified page token value has expired."
            ) from None

    def _page_response(self, context: str, call: Call, page: Page, **count: int) -> Response:
        document: Row = {"@odata.context": context, **count}
        if page.next_token is not None:
            options = {**call.request.query, "$skiptoken": page.next_token}
            path = quote(call.request.path, safe="/()'")
            document["@odata.nextLink"] = f"{self._endpoints.graph}{path}?{urlencode(options)}"
        return json_response(200, document | {"value": list(page.rows)})


def _page_key(call: Call) -> str:
    options = {name: value for name, value in call.request.query.items() if name != "$skiptoken"}
    return f"{call.request.path}?{urlencode(sorted(options.items()))}"


def _route(path: str, *, beta: bool) -> tuple[Route, tuple[str, ...]]:
    for route in ROUTES:
        arguments = route.match(path)
        if arguments is not None and (beta or not route.beta_only):
            return route, arguments
    raise GraphError(400, "BadRequest", f"Resource not found for the segment '{path.rpartition('/')[2]}'.")


def _expanded(call: Call, row: Row, expand: str) -> Row:
    if expand == "group":
        return row | {"group": objects.group(call.tenant.objects[row["groupId"]])}
    role = call.tenant.role_definitions[row["roleDefinitionId"]]
    return row | {"roleDefinition": objects.role_definition(role, beta=call.beta)}


def error_response(error: GraphError, request: Request) -> Response:
    """Graph's error body with its correlation ids."""
    request_id = str(uuid.uuid4())
    headers = {"request_id": request_id}
    if error.status == 401:
        headers["WWW_Authenticate"] = 'Bearer realm="", error="invalid_token"'
    return json_response(
        error.status,
        {
            "error": {
                "code": error.code,
                "message": error.message,
                "innerError": {
                    "date": "2026-11-23T08:00:00",
                    "request-id": request_id,
                    "client-request-id": request.headers.get("client-request-id", request_id),
                },
            }
        },
        **headers,
    )
