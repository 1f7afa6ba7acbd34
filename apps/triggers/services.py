"""What starts records from outside: deliveries to webhooks, and their replay."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from psycopg.errors import ForeignKeyViolation

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Conflict, FlowizeError, NotFound
from apps.core.jsonio import JSON
from apps.records.services import create_records
from apps.records.waking import announced
from apps.webhooks.models import WebhookEvent
from apps.webhooks.receivers import Receiver
from apps.webhooks.selectors import StoredEvent, events_of_delivery
from apps.webhooks.services import AlreadyDelivered, identifiers, store_events

LONGEST_REFUSAL = 2_000
EVENT_ID = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """The sender's own id of a delivery; ``exact`` ones belong to one payload and refuse another."""

    key: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivery: its events in order, and whether they had been stored before."""

    events: Sequence[StoredEvent]
    repeated: bool = False


def receive(receiver: Receiver, payload: JSON, *, address: str, delivery: Delivery | None = None) -> Receipt:
    """Store a payload as an event, or each item of an array where the webhook sends batches; all or none.

    With a flow each event also becomes a record, in the same transaction. What keeps the flow from taking them does not
    keep the events from being stored: they carry the reason and can be replayed. A delivery that was seen before
    stores nothing. Raises ``BadRequest`` for payloads that are no object or array, ``Conflict`` for an exact delivery
    with another payload, ``NotFound`` for a webhook that was removed a moment ago.
    """
    payloads = payloads_of(receiver, payload)
    if delivery and (first := _seen(receiver, delivery)):
        return _repeated(delivery, payloads, first)
    try:
        return Receipt(_store(receiver, payloads, address, delivery))
    except AlreadyDelivered:  # by another process, between the look and the insert
        return _repeated(delivery, payloads, _seen(receiver, delivery))
    except IntegrityError as error:
        if _is_about_events(error):
            raise NotFound from None
        raise


def replay_event(caller: Caller, event_id: str) -> StoredEvent:
    """Take an event of the caller's workspace in once more, as a new event that names it.

    The webhook is asked as it is now. Raises ``NotFound``, and whatever keeps its flow from taking the record; then
    nothing is stored.
    """
    caller.require("webhook")
    rows = WebhookEvent.objects.in_workspace(caller.workspace_id).select_related("webhook__workspace__project")
    event = rows.filter(event_id=event_id).first() if EVENT_ID.fullmatch(event_id) else None
    if event is None:
        raise NotFound("There is no such webhook event.")
    receiver = Receiver.of(event.webhook)
    with transaction.atomic(), announced(receiver.webhook_id, identifiers(receiver, [event.payload])):
        records = _create_records(caller, receiver, [event.payload])
        (stored,) = store_events(
            receiver, [event.payload], address=caller.address, records=records, replay_of=event.event_id
        )
    return stored


def payloads_of(receiver: Receiver, payload: JSON) -> list[JSON]:
    """The events a payload is made of."""
    if not (receiver.batch and isinstance(payload, list)):
        _require_container(payload, "The payload")
        return [payload]
    if not payload:
        raise BadRequest("The array holds no events.")
    if len(payload) > settings.RECORDS_PER_CALL:
        raise BadRequest(f"One call takes at most {settings.RECORDS_PER_CALL} events.")
    for index, item in enumerate(payload):
        _require_container(item, f"Event {index}")
    return payload


def _require_container(value: JSON, name: str) -> None:
    if not isinstance(value, dict | list):
        raise BadRequest(f"{name} is neither an object nor an array.")


def _store(
    receiver: Receiver, payloads: Sequence[JSON], address: str, delivery: Delivery | None
) -> Sequence[StoredEvent]:
    """In a transaction only where there is more than one statement, or one to take back."""
    whole = transaction.atomic() if receiver.flow or delivery else contextlib.nullcontext()
    with whole, announced(receiver.webhook_id, identifiers(receiver, payloads)):
        records, refusal = _records_or_refusal(receiver, payloads, address)
        return store_events(
            receiver,
            payloads,
            address=address,
            delivery=delivery.key if delivery else "",
            records=records,
            refusal=refusal,
        )


def _records_or_refusal(receiver: Receiver, payloads: Sequence[JSON], address: str) -> tuple[list[str], str]:
    """The uuids of the records made, or why there are none; every refusal comes before anything is written."""
    try:
        return _create_records(receiver.caller(address), receiver, payloads), ""
    except FlowizeError as error:
        lines = [error.message, *(f"{detail.path}: {detail.message}" for detail in error.details)]
        return [], "\n".join(lines)[:LONGEST_REFUSAL]


def _create_records(caller: Caller, receiver: Receiver, payloads: Sequence[JSON]) -> list[str]:
    if not receiver.flow:
        return []
    return [record.uuid for record in create_records(caller, payloads, flow_name=receiver.flow)]


def _is_about_events(error: IntegrityError) -> bool:
    """Whether events point to a webhook that is gone."""
    cause = error.__cause__
    return isinstance(cause, ForeignKeyViolation) and cause.diag.table_name == WebhookEvent._meta.db_table


def _seen(receiver: Receiver, delivery: Delivery | None) -> Sequence[StoredEvent]:
    return events_of_delivery(receiver.workspace_id, receiver.webhook_id, delivery.key) if delivery else ()


def _repeated(delivery: Delivery | None, payloads: Sequence[JSON], first: Sequence[StoredEvent]) -> Receipt:
    if delivery and delivery.exact and [event.payload for event in first] != list(payloads):
        raise Conflict("The Idempotency-Key has been used with another payload.")
    return Receipt(first, repeated=True)
