"""Hosted pages over HTTP: shown to everybody, and taking the forms that are on them.

Forms need no token against forgery: nobody is signed in on these pages, so a forged form is like any other.
"""

from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt

from apps.contents.api.responses import METHODS, respond, secured_page
from apps.contents.models import HostedPage
from apps.contents.serving import as_resource, find_designer_page
from apps.core.errors import BadRequest, BodyTooLarge, FlowizeError, UnsupportedMediaType
from apps.core.http.client import address_of
from apps.core.http.parsers import require_utf8
from apps.environments import pages
from apps.environments.form_fields import MOST_FIELDS

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


@csrf_exempt
def designer_page(request: HttpRequest, key: str) -> HttpResponseBase:
    """``/page/{key}``: the Designer copy of a page, for whoever has the link."""
    return show_page(request, find_designer_page(key), sandboxed=True)


def show_page(request: HttpRequest, page: HostedPage | None, *, sandboxed: bool = False) -> HttpResponseBase:
    """The page, or after POST the answer to its form; the view must be exempt from the check against forgery.

    ``sandboxed`` is for a host that also serves something else, such as the admin.
    """
    if page is None:
        return respond(request, None, sandboxed=sandboxed)
    if request.method != "POST" or not page.flow:
        methods = (*METHODS, "POST") if page.flow else METHODS
        return respond(request, as_resource(page), methods=methods, sandboxed=sandboxed)
    try:
        return secured_page(_taken(request, page), sandboxed=sandboxed)
    except FlowizeError as error:
        response = secured_page(_refused(error), error.status, sandboxed=sandboxed)
        for name, value in error.headers.items():
            response.headers[name] = value
        return response


def _taken(request: HttpRequest, page: HostedPage) -> str:
    address = address_of(request)
    pages.admit(page, address)
    pages.submit(page, _fields(request), address=address)
    return page.answer or render_to_string("environments/form_taken.html", {"page": page})


def _fields(request: HttpRequest) -> list[tuple[str, str]]:
    """Names and texts of the form in their order."""
    require_utf8(request.headers.get("Content-Type"))
    read = {URLENCODED: _urlencoded, MULTIPART: _multipart}.get(request.content_type or "")
    if read is None:
        raise UnsupportedMediaType(f"A form is sent as {URLENCODED} or {MULTIPART}.")
    try:
        return read(request)
    except RequestDataTooBig:
        raise BodyTooLarge from None
    except (SuspiciousOperation, MultiPartParserError):
        raise BadRequest("The form cannot be read.") from None


def _urlencoded(request: HttpRequest) -> list[tuple[str, str]]:
    try:
        return parse_qsl(request.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        raise BadRequest("The form is not UTF-8.") from None
    except ValueError:
        raise BadRequest(f"The form has more than {MOST_FIELDS} fields.") from None


def _multipart(request: HttpRequest) -> list[tuple[str, str]]:
    if request.FILES:
        raise BadRequest("The form takes no files.")
    return [(name, text) for name, texts in request.POST.lists() for text in texts]


def _refused(error: FlowizeError) -> str:
    return render_to_string("environments/form_refused.html", {"error": error})
