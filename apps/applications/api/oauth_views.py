"""The standard OAuth 2 endpoints, beside the documented token calls: token, revocation, introspection."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.models import AccessToken
from oauth2_provider.views import RevokeTokenView, TokenView

from apps.applications.authentication import ClientCredentials, authenticate
from apps.applications.ratelimit import count_failed_login
from apps.core import tokens
from apps.core.errors import BadRequest, FlowizeError, WrongCredentials
from apps.core.http import envelope
from apps.core.http.client import address_of
from apps.core.http.error_pages import write

ALLOWED = ("POST", "OPTIONS")
REASONS = {401: "invalid_client", 403: "access_denied", 429: "temporarily_unavailable", 503: "temporarily_unavailable"}


def _refusal(error: FlowizeError) -> JsonResponse:
    """An error in the form of RFC 6749 section 5.2."""
    body = {"error": REASONS.get(error.status, "invalid_request"), "error_description": error.message}
    response = JsonResponse(body, status=error.status, headers=error.headers)
    if error.status == 401:
        response["WWW-Authenticate"] = 'Basic realm="flowize"'
    return response


class GuardedView(View):
    """Hands the client's address to the validator, counts wrong credentials, and words refusals as the RFC does."""

    http_method_names = [method.lower() for method in ALLOWED]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let the library answer; whatever it answers must not be stored."""
        response = self._answer(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Which methods the path takes, as everywhere in the API."""
        return write(request, 200, envelope.methods(ALLOWED, address_of(request)), {"Allow": ", ".join(ALLOWED)})

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        address = address_of(request)
        request.META["X_CLIENT_ADDRESS"] = address
        try:
            if any(len(values) > 1 for _, values in request.POST.lists()):
                raise BadRequest("A parameter is given more than once.")
            response = super().dispatch(request, *args, **kwargs)
        except FlowizeError as error:
            response = _refusal(error)
        return self._counted(response, address)

    @staticmethod
    def _counted(response: HttpResponseBase, address: str) -> HttpResponseBase:
        if response.status_code != 401:
            return response
        try:
            count_failed_login(address).require()
        except FlowizeError as error:
            return _refusal(error)
        return response


@method_decorator(csrf_exempt, name="dispatch")
class GuardedTokenView(GuardedView, TokenView):
    """``POST /o/token/``: RFC 6749, client credentials grant; the library's other grants are not offered."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """An access token."""
        grant_type = request.POST.get("grant_type")
        if grant_type == "client_credentials":
            return super().post(request, *args, **kwargs)
        error = "unsupported_grant_type" if grant_type else "invalid_request"
        return JsonResponse({"error": error, "error_description": "grant_type must be client_credentials."}, status=400)


@method_decorator(csrf_exempt, name="dispatch")
class GuardedRevokeTokenView(GuardedView, RevokeTokenView):
    """``POST /o/revoke_token/``: RFC 7009."""


@method_decorator(csrf_exempt, name="dispatch")
class IntrospectView(GuardedView):
    """``POST /o/introspect/``: RFC 7662; a client learns of its own tokens only."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Whether a token of the asking client is alive, and what it may do."""
        caller = authenticate(_client_credentials(request), host="", address=address_of(request))
        found = (
            AccessToken.objects.select_related("application")
            .filter(
                token_checksum=tokens.digest(request.POST.get("token", "")),
                application=caller.application_id,
                expires__gt=timezone.now(),
            )
            .first()
        )
        return JsonResponse(_described(found) if found else {"active": False})


def _client_credentials(request: HttpRequest) -> ClientCredentials:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return ClientCredentials.from_basic(encoded)
    if not request.POST.get("client_id"):
        raise WrongCredentials
    return ClientCredentials(request.POST["client_id"], request.POST.get("client_secret", ""))


def _described(token: Any) -> dict[str, Any]:
    return {
        "active": True,
        "scope": token.scope,
        "client_id": token.application.client_id,
        "token_type": "Bearer",
        "exp": int(token.expires.timestamp()),
        "iat": int(token.created.timestamp()),
    }
