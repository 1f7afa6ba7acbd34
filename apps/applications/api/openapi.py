"""How callers prove who they are, in the OpenAPI document; and the calls that buy tokens."""

from collections.abc import Iterator
from typing import Any

from apps.applications.api.base import USUAL, CallerViewSet
from apps.applications.authentication import BearerToken, ClientCredentials, Keys, ProjectKey
from apps.applications.scopes import SCOPES
from apps.core import errors
from apps.core.errors import FlowizeError
from apps.core.http.openapi import answers
from apps.core.http.openapi.autoschema import OperationSchema
from apps.core.http.openapi.operation import TEXT, Answer, Named, Operation, Parameter, list_of, shape

SCHEMES: dict[str, dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token. The header name `Authentication` is taken for the same.",
    },
    "oauth2": {
        "type": "oauth2",
        "description": "The same tokens, bought as RFC 6749 says.",
        "flows": {"clientCredentials": {"tokenUrl": "/o/token/", "scopes": SCOPES}},
    },
    "clientId": {"type": "apiKey", "in": "header", "name": "client_id", "description": "Also `Client-Id`."},
    "clientSecret": {"type": "apiKey", "in": "header", "name": "client_secret", "description": "Also `Client-Secret`."},
    "basic": {"type": "http", "scheme": "basic", "description": "Client id and secret as user name and password."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Apikey", "description": "The project's key."},
    "organizationKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Apikey",
        "description": "The organization's key, which its page in the admin switches on.",
    },
    "appKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-App",
        "description": "The key or the name of an application of that project which does without OAuth 2.",
    },
    "apiKeyInUrl": {
        "type": "apiKey",
        "in": "query",
        "name": "api_key",
        "description": "As `X-Apikey`, where the application's form allows keys in URLs.",
    },
    "appKeyInUrl": {"type": "apiKey", "in": "query", "name": "app_key", "description": "As `X-App`."},
}
STORING = ("record", "keystore", "tables")  # calls with these scopes are refused where the storage is used up
SHARED_PARAMETERS = {
    "X-Scopes": {
        "name": "X-Scopes",
        "in": "header",
        "description": "Narrows the call to these scopes, separated by spaces or commas; they must have been granted "
        "and must cover the call. Without it all granted scopes count.",
        "schema": TEXT,
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes the call once, however often it is sent: a repetition with the same key and the same "
        "content is answered as the first was, with `Idempotency-Replayed: true`; other content gets 409.",
        "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    },
}


class CallerSchema(OperationSchema):
    """Operations of viewsets that know their caller: credentials, scopes, rate limit."""

    @property
    def scope(self) -> str | None:
        """The scope the call asks for."""
        return self._of_caller("required_scopes", {}).get(self.action)

    @property
    def styles(self) -> tuple[type, ...]:
        """The kinds of credentials the call takes."""
        if self._told.styles is not None:
            return self._told.styles
        extra = self._of_caller("extra_styles", {}).get(self.action, ())
        return USUAL + extra if isinstance(self.view, CallerViewSet) else ()

    @property
    def limited(self) -> bool:
        """Whether calls are counted."""
        return hasattr(self.view, "rate")

    @property
    def repeatable(self) -> bool:
        """Whether the call takes an ``Idempotency-Key``."""
        return self.method == "POST" and isinstance(self.view, CallerViewSet) and self.view.repeatable

    def get_auth(self) -> list[dict[str, Any]]:
        """One alternative for each way to send each kind of credentials."""
        return [way for style in self.styles for way in self._ways(style)] or super().get_auth()

    def get_extensions(self) -> dict[str, Any]:
        """The scope stands beside the credentials: most kinds of them have no place for it."""
        return {"x-scopes": [self.scope]} if self.scope else {}

    def errors(self) -> Iterator[type[FlowizeError]]:
        """Who is not known, may not, or has called too often."""
        yield from super().errors()
        if self.styles:
            yield errors.WrongCredentials
        if self.limited:
            yield errors.TooManyRequests
        if self.repeatable:
            yield errors.Conflict
        if self.scope in STORING and self.method in ("POST", "PUT"):
            yield errors.StorageFull

    def headers(self) -> tuple[str, ...]:
        """The caller's rate limit beside the rest."""
        replayed = ("Idempotency-Replayed",) if self.repeatable else ()
        return super().headers() + replayed + (answers.RATE if self.limited else ())

    def shared_parameters(self) -> Iterator[str]:
        """Scopes may be narrowed wherever one is asked for."""
        yield from super().shared_parameters()
        if self.scope:
            yield "X-Scopes"
        if self.repeatable:
            yield "Idempotency-Key"

    def _ways(self, style: type) -> list[dict[str, list[str]]]:
        scopes = [self.scope] if self.scope else []
        ways: dict[type, list[dict[str, list[str]]]] = {
            BearerToken: [{"bearer": []}, {"oauth2": scopes}],
            Keys: [{"apiKey": [], "appKey": []}, {"apiKeyInUrl": [], "appKeyInUrl": []}],
            ClientCredentials: [{"clientId": [], "clientSecret": []}, {"basic": []}],
            ProjectKey: [{"apiKey": []}],
        }
        return ways[style]

    def _of_caller(self, name: str, default: Any) -> Any:
        return getattr(self.view, name, default)


TAG = "Tokens"
SECRET = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
EPOCH = {"type": "integer", "description": "Seconds since 1970."}

GRANT_TYPE = Parameter(
    headers=("grant_type",),
    query=("grant_type",),
    description="Always `client_credentials`.",
    schema={"type": "string", "enum": ["client_credentials"]},
    example="client_credentials",
)
REFRESH_TOKEN = Parameter(
    headers=("refresh_token",),
    query=("refresh_token",),
    description="A refresh token of the same application.",
    example="633d3d4493db0b4abaa1645987acf9e3375daef05b38b8c08571f661a190b808",
)

CHECK = Operation(
    name="checkAuthentication",
    tag=TAG,
    summary="Buy an access token and a refresh token",
    description="`expires_in` is the moment the access token ends, in seconds since 1970. Refresh tokens live until "
    "they are revoked.",
    parameters=[GRANT_TYPE],
    styles=(ClientCredentials,),
    stored=False,
    answer=Answer(
        message="The credentials are valid",
        resource=Named(
            "Tokens",
            shape(
                {
                    "access_token": SECRET,
                    "token_type": {"const": "bearer"},
                    "refresh_token": SECRET,
                    "expires_in": EPOCH,
                    "scopes": {"type": "null"},
                }
            ),
        ),
        examples={
            "Tokens": {
                "access_token": "0cd92bf4ed94ec8f5f8506c8f1c8135ab2463db3cc23f2ca3f1a8ad2dad434cc",
                "token_type": "bearer",
                "refresh_token": "633d3d4493db0b4abaa1645987acf9e3375daef05b38b8c08571f661a190b808",
                "expires_in": 1796336905,
                "scopes": None,
            }
        },
    ),
)
REFRESH = Operation(
    name="refreshToken",
    tag=TAG,
    summary="Buy another access token with a refresh token",
    parameters=[GRANT_TYPE, REFRESH_TOKEN],
    styles=(ClientCredentials,),
    stored=False,
    errors=[errors.InvalidToken],
    answer=Answer(
        message="The token has been generated",
        resource=Named("AccessToken", shape({"access_token": SECRET, "expires_at": EPOCH})),
        examples={
            "Token": {
                "access_token": "9a1d6f0f3a9f4f0c8a55c37f5d6f80f0a9c1f1f7a8f7b3d0c5e2a4b6d8e0f1a2",
                "expires_at": 1796336905,
            }
        },
    ),
)
DIRECTORY = Operation(
    name="listMethods",
    tag="Reference",
    summary="List the methods of the API",
    description="Every method of every path, what it is for, and the scopes it asks for. Needs no credentials; "
    "`OPTIONS` answers the same.",
    answer=Answer(
        message="The methods of the API are listed.",
        resource=list_of(
            Named(
                "Method",
                shape(
                    {
                        "method": {"type": "string", "enum": ["GET", "POST", "PUT", "DELETE"]},
                        "endpoint": TEXT,
                        "usage": TEXT,
                        "scopes": list_of({"type": "string", "enum": list(SCOPES)}),
                    }
                ),
            )
        ),
        examples={
            "Beginning": [
                {
                    "method": "POST",
                    "endpoint": "/v1/record",
                    "usage": "Insert one document, or an array of them, into a flow.",
                    "scopes": ["record"],
                }
            ]
        },
    ),
)
