"""Records that listen to a webhook, and deliveries to it."""

from typing import Any

from apps.records.execution import drain
from apps.records.models import Record
from apps.triggers.services import receive
from apps.webhooks.receivers import Receiver
from tests.conftest import Tenant, publish
from tests.records.conftest import flow_of, insert, reloaded

ORDER = {"order": {"number": "A-17"}}


def listening_flow(**more: Any) -> dict[str, Any]:
    """Waits for word about its order: paid, failed, or something else."""
    hear = {
        "type": "webhook",
        "webhook": "payments",
        "identifier": "{{ order.number }}",
        "ports": {"PAID": "paid", "REFUSED": "refused", "STOLEN": "refused"},
        "save_to": "payment",
        "next": {"paid": "note", "refused": "end", "else": "end"},
    }
    note = {"type": "set", "set": {"amount": "{{ vars.payment.amount }}"}, "next": {"ok": "end"}}
    return flow_of("listening", hear=hear | more, note=note)


def deliver(hook: Receiver, *payloads: Any, **fields: Any) -> None:
    receive(hook, list(payloads) or [{"order": "A-17", "status": "PAID", "amount": 12} | fields], address="127.0.0.1")


def listening(acme: Tenant, **more: Any) -> Record:
    """A record that listens."""
    publish(acme, listening_flow(**more))
    record = insert(acme, ORDER, "listening")
    drain()
    return reloaded(record)
