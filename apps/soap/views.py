"""``/v1/soap``: messages by POST, the WSDL by GET."""

import hashlib
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt

from apps.core.errors import BadRequest, MethodNotAllowed
from apps.core.http import envelope
from apps.core.http.client import address_of
from apps.core.http.error_pages import respond, write
from apps.soap.exchange import Exchange
from apps.soap.wsdl import USES, write_wsdl

PATH = "/v1/soap"
READS = ("GET", "HEAD")
ALLOWED = ("GET", "HEAD", "POST", "OPTIONS")
ALLOW = {"Allow": ", ".join(ALLOWED)}


@csrf_exempt
def soap(request: HttpRequest) -> HttpResponseBase:
    """Answer a message, or describe the service."""
    if request.method == "POST":
        return Exchange(request).answer()
    if request.method == "OPTIONS":
        return write(request, 200, envelope.methods(ALLOWED, address_of(request)), ALLOW)
    use = _use(request)
    if request.method not in READS or use is None:
        return respond(request, MethodNotAllowed("Send messages with POST; the WSDL is at ?wsdl.", headers=ALLOW))
    if use not in USES:
        return respond(request, BadRequest("There is ?wsdl, with rpc/encoded, and ?wsdl=literal, with rpc/literal."))
    return _described(request, write_wsdl(address_of_service(request), use))


def address_of_service(request: HttpRequest) -> str:
    """Where callers reach the service: the host they know it by picks their workspace.

    The installation's public address stands for its own host, as some proxies do not pass on which port was asked.
    """
    host = urlsplit(f"//{request.get_host()}").hostname
    if host == urlsplit(settings.PUBLIC_URL).hostname:
        return f"{settings.PUBLIC_URL}{PATH}"
    return f"{request.META['wsgi.url_scheme']}://{request.get_host()}{PATH}"


def _use(request: HttpRequest) -> str | None:
    """The style of the WSDL that is asked for, in whichever case; none when none is."""
    for name, value in request.GET.items():
        if name.lower() == "wsdl":
            return str(value).lower() or "encoded"
    return None


def _described(request: HttpRequest, body: bytes) -> HttpResponseBase:
    response = HttpResponse(body, content_type="text/xml; charset=utf-8")
    response["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return get_conditional_response(request, etag=response["ETag"], response=response) or response
