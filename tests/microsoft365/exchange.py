"""Exchange Online's REST endpoint for cmdlets: authorisation, envelope, result size, paging and errors."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.microsoft365 import catalog
from tests.microsoft365.exchange_cmdlets import CMDLETS, Cmdlet, CmdletError
from tests.microsoft365.paging import Page, Pages, UnknownPageError
from tests.microsoft365.wire import Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.model.connection import Endpoints
    from tests.microsoft365.exchange_rows import Row
    from tests.microsoft365.snapshot import Tenant
    from tests.microsoft365.tokens import Grant, TokenIssuer

_PATH = re.compile(r"/adminapi/beta/([^/]+)/InvokeCommand", re.IGNORECASE)
_DEFAULT_RESULT_SIZE = 1000
MORE_RESULTS = (
    "There are more results available than are currently displayed. Increase ResultSize to view them."
)
EXPIRED_PAGE = "Expired or Invalid pagination request. Default Expiry time is 00:30:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The cmdlet a request names, with its parameters."""

    name: str
    parameters: dict[str, Any]


def command_of(request: Request) -> Command | None:
    """Read the envelope; None when it is not one. The case of its keys matters."""
    envelope = request.body_object().get("CmdletInput")
    if not isinstance(envelope, dict):
        return None
    name, parameters = envelope.get("CmdletName"), envelope.get("Parameters")
    if not isinstance(name, str) or not isinstance(parameters, dict):
        return None
    return Command(name=name, parameters=parameters)


def forbidden() -> Response:
    """What a caller without rights gets: 403, and a body of NUL bytes."""
    return Response(status=403, body=b"\0" * 64, headers={"Content-Type": "application/octet-stream"})


class Exchange:
    """Answers InvokeCommand requests about the tenant."""

    def __init__(
        self, tenant: Callable[[], Tenant], endpoints: Endpoints, tokens: TokenIssuer, page_size: int
    ) -> None:
        self._tenant, self._endpoints, self._tokens, self._page_size = tenant, endpoints, tokens, page_size
        self._pages = Pages()

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        found = _PATH.fullmatch(request.path)
        if found is None:
            return Response(status=404)
        if request.method != "POST":
            return Response(status=405)
        tenant = self._tenant()
        grant = self._tokens.grant(request.headers.get("authorization", ""), self._endpoints.exchange)
        if grant is None or not {catalog.EXCHANGE_MANAGE_AS_APP, catalog.EXCHANGE_MANAGE} & grant.permissions:
            return Response(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if not tenant.answers_to(found[1]):
            return forbidden()
        return self._invoke(tenant, grant, request)

    def _invoke(self, tenant: Tenant, grant: Grant, request: Request) -> Response:
        command = command_of(request)
        if command is None:
            return error_response(CmdletError(400, "System.ArgumentException", "CmdletInput is not valid."))
        cmdlet = CMDLETS.get(command.name)
        held = tenant.management_roles_of(grant.principal_id, grant.directory_roles)
        if cmdlet is None or not held & set(cmdlet.any_of):
            return forbidden()
        try:
            return self._result(tenant, cmdlet, command, request)
        except CmdletError as error:
            return error_response(error)
        except UnknownPageError:
            return Response(status=400, body=EXPIRED_PAGE.encode(), headers={"Content-Type": "text/plain"})

    def _result(self, tenant: Tenant, cmdlet: Cmdlet, command: Command, request: Request) -> Response:
        cmdlet.check(command.parameters)
        key = json.dumps([command.name, command.parameters], sort_keys=True)
        if "$skiptoken" in request.query:
            page = self._pages.next(key, request.query["$skiptoken"], self._size(request))
            return self._envelope(request, page)
        rows = cmdlet.run(tenant, command.parameters)
        limit = _result_size(command.parameters) if "ResultSize" in cmdlet.parameters else None
        if limit is not None and len(rows) > limit:
            # the token given for a result that ResultSize cut short is not good for anything
            cut = Page(rows=tuple(rows[:limit]), next_token="result-size")
            return self._envelope(request, cut, MORE_RESULTS)
        return self._envelope(request, self._pages.first(key, rows, self._size(request)))

    def _size(self, request: Request) -> int:
        asked = re.search(r"odata\.maxpagesize=(\d+)", request.headers.get("prefer", ""))
        return min(int(asked[1]), self._page_size) if asked and int(asked[1]) else self._page_size

    def _envelope(self, request: Request, page: Page, *warnings: str) -> Response:
        base = f"{self._endpoints.exchange}{request.path}"
        document: Row = {
            "@odata.context": f"{base.rpartition('/')[0]}/$metadata#Collection(Exchange.GenericHashTable)",
            "adminapi.warnings@odata.type": "#Collection(String)",
            "@adminapi.warnings": list(warnings),
        }
        if page.next_token is not None:
            document["@odata.nextLink"] = f"{base}?%24skiptoken={quote(page.next_token)}"
        return json_response(200, document | {"value": _selected(page.rows, request.query.get("$select"))})


def _result_size(parameters: dict[str, Any]) -> int | None:
    value = parameters.get("ResultSize", _DEFAULT_RESULT_SIZE)
    if str(value).lower() == "unlimited":
        return None
    if not str(value).isdecimal():
        raise CmdletError(
            400,
            "System.Management.Automation.ParameterBindingException",
            "Cannot process argument transformation on parameter 'ResultSize'.",
        )
    return int(value)


def _selected(rows: tuple[Row, ...], names: str | None) -> list[Row]:
    if names is None:
        return list(rows)
    wanted = {name.strip() for name in names.split(",")}
    return [{name: value for name, value in row.items() if name.partition("@")[0] in wanted} for row in rows]


def error_response(error: CmdletError) -> Response:
    """The nested error body: only the innermost message says something."""
    return json_response(
        error.status,
        {
            "error": {
                "code": "NotFound" if error.status == 404 else "BadRequest",
                "message": "Invalid Operation",
                "details": [{"code": "Client", "target": "", "message": f"|{error.type}|{error.message}"}],
                "innererror": {
                    "message": "Invalid Operation",
                    "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
                    "stacktrace": "",
                    "internalexception": {"message": error.message, "type": error.type, "stacktrace": ""},
                },
            }
        },
        X_ExceptionType=error.type.rpartition(".")[2],
    )
