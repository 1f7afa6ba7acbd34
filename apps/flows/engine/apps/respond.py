"""``core.respond``: the answer to the synchronous call that made the record."""

from .app import App

# Names that say how the connection or the server works, or that reach beyond this answer into a browser.
REFUSED_HEADERS = (
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length", "content-encoding", "date", "server", "set-cookie", "set-cookie2",
    "content-security-policy", "content-security-policy-report-only", "strict-transport-security", "x-frame-options",
    "x-content-type-options", "x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
    "idempotency-replayed", "clear-site-data", "alt-svc", "public-key-pins", "www-authenticate",
)  # fmt: skip


def _any_case(word: str) -> str:
    """A pattern for a word in any case."""
    return "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in word)


RESPOND = App(
    name="core.respond",
    version=1,
    title="Answer the synchronous call",
    kind="internal",
    config_schema={
        "type": "object",
        "properties": {
            "status": {
                "type": "integer",
                "minimum": 200,
                "maximum": 599,
                "description": "HTTP status, 200 unless given.",
            },
            "headers": {
                "type": "object",
                "description": "A header whose value is null is not sent.",
                "propertyNames": {"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"},
                "patternProperties": {f"^({'|'.join(map(_any_case, REFUSED_HEADERS))})$": False},
                "maxProperties": 30,
                "additionalProperties": {
                    "type": ["string", "number", "boolean", "null"],
                    "maxLength": 2000,
                    "pattern": "^[\\x20-\\x7e]*$",
                },
            },
            "json": {"description": "The body, sent as application/json."},
            "text": {"type": "string", "description": "The body, sent as text/plain."},
            "xml": {"description": "The body, a value that is written as XML and sent as application/xml."},
        },
        "allOf": [{"not": {"required": pair}} for pair in (["json", "text"], ["json", "xml"], ["text", "xml"])],
        "additionalProperties": False,
    },
    ports=("ok", "error"),
    timeout=5.0,
)
