"""The apps that read and write keys of the workspace's keystores."""

from typing import Any

from .app import VARIABLE, App

_KEYSTORE = {"type": "string", "minLength": 1, "maxLength": 64, "description": "Identifier of the keystore."}
_KEY = {"type": ["string", "integer"], "minLength": 1, "maxLength": 255}


def _app(act: str, title: str, ports: tuple[str, ...], more: dict[str, Any], required: tuple[str, ...] = ()) -> App:
    return App(
        name=f"core.keystore.{act}",
        version=1,
        title=title,
        kind="internal",
        config_schema={
            "type": "object",
            "properties": {"keystore": _KEYSTORE, "key": _KEY, **more},
            "required": ["keystore", "key", *required],
            "additionalProperties": False,
        },
        ports=ports,
        timeout=5.0,
        references=(("keystore", "keystore"),),
    )


GET = _app(
    "get",
    "Read a key",
    ("ok", "missing"),
    {
        "create": {"type": "boolean", "description": "Make a missing key, with the keystore's structure."},
        "save_to": {**VARIABLE, "description": "Variable that keeps what the key holds, null when it is missing."},
    },
)
PUT = _app("put", "Write a key", ("ok",), {"value": {"description": "What the key holds from then on."}}, ("value",))
DELETE = _app("delete", "Remove a key", ("ok", "missing"), {})
