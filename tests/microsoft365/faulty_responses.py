"""The responses of faults, in the shape of the system that is struck."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.microsoft365 import exchange, graph
from tests.microsoft365.exchange_cmdlets import CmdletError
from tests.microsoft365.exchange_cmdlets import not_found as object_not_found
from tests.microsoft365.faults import Fault, FaultKind
from tests.microsoft365.graph_calls import GraphError, denied, not_found
from tests.microsoft365.wire import Request, Response, System, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

_STATUS = {
    FaultKind.SERVER_ERROR: (500, "InternalServerError"),
    FaultKind.BAD_GATEWAY: (502, "BadGateway"),
    FaultKind.UNAVAILABLE: (503, "ServiceUnavailable"),
    FaultKind.GATEWAY_TIMEOUT: (504, "GatewayTimeout"),
}
_HTML = b"<!DOCTYPE html><html><head><title>Proxy sign-in</title></head><body>Please sign in.</body></html>"
ALTERATIONS = frozenset(
    {
        FaultKind.TRUNCATED_JSON,
        FaultKind.FOREIGN_NEXT_LINK,
        FaultKind.BLANK_NEXT_LINK,
        FaultKind.MORE_RESULTS_WARNING,
    }
)


def replacement(fault: Fault, request: Request, foreign: str, plain: str) -> Response:
    """The response a fault gives instead of the real one; `foreign` and `plain` are origins of others."""
    if fault.kind in _STATUS:
        return _server_error(fault, request)
    builders: dict[FaultKind, Callable[[], Response]] = {
        FaultKind.UNAUTHORIZED: lambda: _unauthorized(request),
        FaultKind.FORBIDDEN: lambda: _forbidden(request),
        FaultKind.NOT_FOUND: lambda: _not_found(request),
        FaultKind.THROTTLED: lambda: _throttled(fault, request),
        FaultKind.TRANSIENT_CMDLET_ERROR: lambda: exchange.error_response(
            CmdletError(
                400, "Microsoft.Exchange.Data.Directory.ServerBusyException", "The server is too busy."
            )
        ),
        FaultKind.EMBEDDED_ERROR: lambda: json_response(
            200,
            {
                "@odata.error": {
                    "code": "InternalServerError",
                    "message": "The answer could not be completed.",
                }
            },
        ),
        FaultKind.HTML: lambda: Response(status=200, body=_HTML, headers={"Content-Type": "text/html"}),
        FaultKind.EMPTY_BODY: lambda: Response(status=200, headers={"Content-Type": "application/json"}),
        FaultKind.EXPIRED_PAGE: lambda: Response(
            status=400, body=exchange.EXPIRED_PAGE.encode(), headers={"Content-Type": "text/plain"}
        ),
        FaultKind.REDIRECT_TO_FOREIGN_HOST: lambda: _redirect(f"{foreign}{request.path}"),
        FaultKind.REDIRECT_TO_PLAIN_HTTP: lambda: _redirect(f"{plain}{request.path}"),
        FaultKind.NO_PREMIUM_2_LICENCE: lambda: graph.error_response(
            GraphError(400, "AadPremiumLicenseRequired", "The tenant needs an AAD Premium 2 license."),
            request,
        ),
        FaultKind.NO_PREMIUM_TENANT: lambda: graph.error_response(
            GraphError(
                403,
                "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                "Neither tenant is B2C or tenant doesn't have premium license",
            ),
            request,
        ),
    }
    return builders[fault.kind]()


def alteration(fault: Fault, response: Response, foreign: str) -> Response:
    """The real response with one thing wrong."""
    if fault.kind is FaultKind.TRUNCATED_JSON:
        return Response(
            status=response.status, body=response.body[: len(response.body) // 2], headers=response.headers
        )
    document = json.loads(response.body)
    if fault.kind is FaultKind.FOREIGN_NEXT_LINK:
        document["@odata.nextLink"] = f"{foreign}/next?$skiptoken=stolen"
    elif fault.kind is FaultKind.BLANK_NEXT_LINK:
        document["@odata.nextLink"] = ""
    else:
        document["@adminapi.warnings"] = [exchange.MORE_RESULTS]
    return json_response(response.status, document)


def _unauthorized(request: Request) -> Response:
    if request.system is System.GRAPH:
        return graph.error_response(
            GraphError(
                401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."
            ),
            request,
        )
    return Response(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _forbidden(request: Request) -> Response:
    match request.system:
        case System.GRAPH:
            return graph.error_response(denied(), request)
        case System.EXCHANGE:
            return exchange.forbidden()
        case System.LOGIN | System.FOREIGN:
            return Response(status=403)


def _not_found(request: Request) -> Response:
    command = exchange.command_of(request)
    if request.system is System.EXCHANGE and command is not None:
        identity = str(command.parameters.get("Identity", ""))
        return exchange.error_response(object_not_found(identity))
    if request.system is System.GRAPH:
        return graph.error_response(not_found(request.path.rpartition("/")[2]), request)
    return Response(status=404)


def _throttled(fault: Fault, request: Request) -> Response:
    return _with_retry_after(fault, request, 429, "TooManyRequests", "Please retry again later.")


def _server_error(fault: Fault, request: Request) -> Response:
    status, code = _STATUS[fault.kind]
    return _with_retry_after(fault, request, status, code, "The service could not handle the request.")


def _with_retry_after(fault: Fault, request: Request, status: int, code: str, text: str) -> Response:
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    if request.system is System.GRAPH:
        plain = graph.error_response(GraphError(status, code, text), request)
        return Response(status=status, body=plain.body, headers={**plain.headers, **headers})
    return Response(status=status, body=text.encode(), headers={"Content-Type": "text/plain", **headers})


def _redirect(location: str) -> Response:
    return Response(status=302, headers={"Location": location})
