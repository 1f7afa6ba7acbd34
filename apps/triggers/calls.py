"""What becomes of a call of a URL trigger: records, and with a Dynamic one events for those that are there."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction

from apps.core.errors import BadRequest, Conflict, NotFound
from apps.core.jsonio import JSON
from apps.records.services import CreatedRecord, create_records
from apps.triggers.entrances import Entrance
from apps.triggers.models import UrlKind
from apps.triggers.services import receive
from apps.webhooks.paths import text_at
from apps.webhooks.receivers import Receiver
from apps.webhooks.selectors import StoredEvent

Taken: TypeAlias = CreatedRecord | StoredEvent

# Of two calls with one new identifier the second waits here for the first, and then finds it known. Always in the order
# of identifiers, so that two arrays wait for each other instead of for ever.
_CLAIM = """
INSERT INTO triggers_knownidentifier (workspace_id, trigger_id, identifier, record_uuid)
SELECT %(workspace)s, %(trigger)s, identifier, uuid
FROM unnest(%(identifiers)s::text[], %(uuids)s::text[]) AS given (identifier, uuid) ORDER BY identifier
ON CONFLICT (trigger_id, identifier) DO NOTHING RETURNING identifier
"""
# A statement of its own, since only its snapshot holds what the first one waited for.
_ORPHANS = """
SELECT identifier FROM triggers_knownidentifier known
WHERE trigger_id = %(trigger)s AND identifier = ANY(%(known)s) AND NOT EXISTS (
    SELECT FROM records_record r WHERE r.workspace_id = known.workspace_id AND r.uuid = known.record_uuid)
ORDER BY identifier FOR UPDATE
"""
_ADOPT = """
UPDATE triggers_knownidentifier known SET record_uuid = given.uuid
FROM unnest(%(identifiers)s::text[], %(uuids)s::text[]) AS given (identifier, uuid)
WHERE trigger_id = %(trigger)s AND known.identifier = given.identifier AND given.identifier = ANY(%(orphans)s)
"""


def take(entrance: Entrance, payload: JSON, *, address: str) -> list[Taken]:
    """Make a record of a document, or of each item of an array where the trigger takes batches; all or none.

    With a Dynamic URL an identifier that has a record already makes an event of the webhook instead. Raises
    ``BadRequest`` for what does not fit, ``Conflict`` when flow or webhook are gone or take nothing.
    """
    documents = _documents_of(entrance, payload)
    if entrance.kind == UrlKind.DYNAMIC:
        return _take_dynamic(entrance, documents, address)
    return [*_create(entrance, documents, address)]


def _documents_of(entrance: Entrance, payload: JSON) -> list[JSON]:
    if not (entrance.batch and isinstance(payload, list)):
        return [payload]
    if not payload:
        raise BadRequest("The array holds no data records.")
    if len(payload) > settings.RECORDS_PER_CALL:
        raise BadRequest(f"One call takes at most {settings.RECORDS_PER_CALL} data records.")
    return payload


def _create(
    entrance: Entrance, documents: Sequence[JSON], address: str, uuids: Sequence[str] | None = None
) -> list[CreatedRecord]:
    caller = replace(entrance.caller, address=address)
    if not (entrance.flow or caller.default_flow):
        raise Conflict("This address has no flow.")
    try:
        return create_records(caller, documents, flow_name=entrance.flow or None, uuids=uuids)
    except NotFound:  # to the sender the address is there; its flow is not
        raise Conflict("The flow of this address does not exist.") from None


def _take_dynamic(entrance: Entrance, documents: Sequence[JSON], address: str) -> list[Taken]:
    receiver = entrance.receiver
    if receiver is None or not receiver.identifier_path:
        raise Conflict("The webhook of this address does not exist, or names no identifier.")
    identifiers = [_identifier(receiver, document, index) for index, document in enumerate(documents)]
    with transaction.atomic():
        fresh = _claim(entrance, identifiers)
        first = {identifier: identifiers.index(identifier) for identifier in fresh}
        places = sorted(first.values())
        records = (
            _create(entrance, [documents[n] for n in places], address, [fresh[identifiers[n]] for n in places])
            if places
            else []
        )
        others = [n for n in range(len(documents)) if n not in set(places)]
        events = _note(receiver, [documents[n] for n in others], address) if others else []
    found: dict[int, Taken] = {**dict(zip(places, records, strict=True)), **dict(zip(others, events, strict=True))}
    return [found[n] for n in range(len(documents))]


def _identifier(receiver: Receiver, document: JSON, index: int) -> str:
    identifier = text_at(receiver.identifier_path, document)
    if not identifier:
        raise BadRequest(f"Document {index} has no identifier at {receiver.identifier_path}.")
    return identifier


def _claim(entrance: Entrance, identifiers: Sequence[str]) -> dict[str, str]:
    """The identifiers that have no record yet, each with the uuid of the record that is now to be made."""
    wanted = {identifier: str(uuid4()) for identifier in dict.fromkeys(identifiers)}
    values: dict[str, Any] = {
        "workspace": entrance.workspace_id,
        "trigger": entrance.trigger_id,
        "identifiers": list(wanted),
        "uuids": list(wanted.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        fresh = {row[0] for row in cursor.fetchall()}
        if known := [identifier for identifier in wanted if identifier not in fresh]:
            cursor.execute(_ORPHANS, values | {"known": known})
            if orphans := [row[0] for row in cursor.fetchall()]:
                cursor.execute(_ADOPT, values | {"orphans": orphans})
                fresh |= set(orphans)
    return {identifier: uuid for identifier, uuid in wanted.items() if identifier in fresh}


def _note(receiver: Receiver, documents: Sequence[JSON], address: str) -> Sequence[StoredEvent]:
    """Deliver documents to the webhook as if its sender had, but for its own flow."""
    return receive(replace(receiver, flow="", batch=True), list(documents), address=address).events
