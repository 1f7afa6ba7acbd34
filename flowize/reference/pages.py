"""Pages that describe the API to people; everything on them comes from this installation."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.applications.scopes import SCOPES
from apps.core.errors import FlowizeError
from apps.core.http import envelope
from apps.core.http.methods import reads_only
from apps.core.http.openapi import answers
from flowize.reference.document import generic

PAGES = {
    "reference": "Calls",
    "reference-errors": "Errors",
    "reference-scopes": "Scopes",
    "openapi": "OpenAPI document",
    "postman": "Postman collection",
}
# Swagger UI draws its arrows as images in its style sheet.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@reads_only
def calls(request: HttpRequest) -> HttpResponse:
    """Every call, to read about and to try."""
    return _page(request, "reference", "calls")


@reads_only
def errors(request: HttpRequest) -> HttpResponse:
    """The table of errors."""
    return _page(request, "reference-errors", "errors", rows=[_error(kind) for kind in answers.family()])


@reads_only
def scopes(request: HttpRequest) -> HttpResponse:
    """The table of scopes, each with the calls that ask for it."""
    asking = asked_for()
    rows = [{"scope": name, "meaning": text, "calls": asking.get(name, [])} for name, text in SCOPES.items()]
    return _page(request, "reference-scopes", "scopes", rows=rows)


def asked_for() -> dict[str, list[str]]:
    """The calls that ask for each scope."""
    found: dict[str, list[str]] = {}
    for path, methods in generic()["paths"].items():
        for method, operation in methods.items():
            for scope in operation.get("x-scopes", []):
                found.setdefault(scope, []).append(f"{method.upper()} {path}")
    return found


def _error(kind: type[FlowizeError]) -> dict[str, Any]:
    return {
        "status": kind.status,
        "code": kind.code,
        "slug": envelope.slug(kind.status),
        "message": kind.default_message,
        "meaning": answers.meaning(kind).split("`"),  # every second part is code
    }


def _page(request: HttpRequest, name: str, template: str, **context: Any) -> HttpResponse:
    context |= {"page": name, "pages": PAGES.items()}
    response = render(request, f"reference/{template}.html", context)
    response["Content-Security-Policy"] = POLICY
    return response
