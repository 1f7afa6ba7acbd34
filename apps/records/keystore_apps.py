"""``core.keystore.get``, ``put`` and ``delete``: what callers may do with keys, done by a flow."""

from django.conf import settings

from apps.core.errors import NotFound
from apps.core.jsonio import Limits, check_value
from apps.flows.engine.results import AppResult
from apps.flows.engine.values import to_text
from apps.flows.engine.walk import Call
from apps.keystores import selectors, services
from apps.keystores.content import Document
from apps.records.place import Place


def get_key(place: Place, call: Call) -> AppResult:
    """Leaves by ``ok`` with what the key holds, or by ``missing``; raises ``NotFound`` without the keystore."""
    config = call.config
    read = services.get_or_create_item if config.get("create") else services.get_item
    value, port = None, "ok"
    try:
        value = read(place.caller(), config["keystore"], to_text(config["key"])).document
    except NotFound:
        port = _missing(place, config["keystore"])
    return AppResult(port, value, {config["save_to"]: value} if "save_to" in config else {})


def put_key(place: Place, call: Call) -> AppResult:
    """Writes the whole value, whether the key was there or not."""
    config = call.config
    check_value(config["value"], limits=Limits(depth=settings.JSON_DEPTH))
    services.put_item(place.caller(), config["keystore"], to_text(config["key"]), Document(config["value"]))
    return AppResult("ok", config["value"])


def delete_key(place: Place, call: Call) -> AppResult:
    """Leaves by ``missing`` when there was no such key."""
    config = call.config
    try:
        services.delete_item(place.caller(), config["keystore"], to_text(config["key"]))
    except NotFound:
        return AppResult(_missing(place, config["keystore"]))
    return AppResult("ok")


def _missing(place: Place, keystore: str) -> str:
    """The port for a key that is not there; raises ``NotFound`` when it is the keystore that is missing."""
    selectors.get_keystore(place.workspace_id, keystore)
    return "missing"
