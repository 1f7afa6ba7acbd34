"""``core.email``: one mail."""

from .app import VARIABLE, App

_ADDRESSES = {
    "type": ["string", "array"],
    "items": {"type": ["string", "null"], "maxLength": 400},
    "maxLength": 400,
    "maxItems": 50,
}

EMAIL = App(
    name="core.email",
    version=1,
    title="Send an e-mail",
    kind="external",
    config_schema={
        "type": "object",
        "description": "give a 'template', or a 'subject' with 'text' or 'html' or both",
        "properties": {
            "to": {**_ADDRESSES, "description": "An address, or a list of them; null is left out of a list."},
            "cc": _ADDRESSES,
            "bcc": _ADDRESSES,
            "reply_to": _ADDRESSES,
            "template": {
                "type": "string",
                "minLength": 1,
                "maxLength": 128,
                "description": "A template of the workspace; it brings subject, text and HTML.",
            },
            "subject": {"type": "string", "minLength": 1, "maxLength": 500},
            "text": {"type": "string"},
            "html": {"type": "string", "format": "html", "description": "What expressions give here is escaped."},
            "timeout": {"type": "string", "maxLength": 40, "description": "Duration, at most 15 s."},
            "save_to": {**VARIABLE, "description": "Variable that keeps the Message-ID and the number of recipients."},
        },
        "required": ["to"],
        "oneOf": [
            {
                "required": ["template"],
                "not": {"anyOf": [{"required": [key]} for key in ("subject", "text", "html")]},
            },
            {
                "required": ["subject"],
                "anyOf": [{"required": ["text"]}, {"required": ["html"]}],
                "not": {"required": ["template"]},
            },
        ],
        "additionalProperties": False,
    },
    ports=("ok", "error"),
    timeout=15.0,
    references=(("template", "template"),),
)
