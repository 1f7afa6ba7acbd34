"""Records as their insert and update report them to callers, whichever way they came."""

from collections.abc import Sequence
from typing import Any

from apps.applications.caller import Caller
from apps.records.changing import ChangedRecord
from apps.records.services import CreatedRecord


def created_resource(created: Sequence[CreatedRecord], *, several: bool) -> Any:
    """What an insert made: the record, or the list of them where a list was sent."""
    rows = [_created(record) for record in created]
    return rows if several else rows[0]


def updated_resource(caller: Caller, updated: Sequence[ChangedRecord], *, several: bool) -> Any:
    """What an update changed, likewise."""
    rows = [_updated(caller, record) for record in updated]
    return rows if several else rows[0]


def _created(record: CreatedRecord) -> dict[str, Any]:
    return {
        "flow_id": str(record.flow_id),
        "flow_name": record.flow_name,
        "data_record_id": record.uuid,
        "data_record": record.document,
    }


def _updated(caller: Caller, record: ChangedRecord) -> dict[str, Any]:
    return {
        "flow_name": record.flow_name,
        "customer_id": str(caller.project_id),
        "uuid": record.uuid,
        "data_record": record.document,
    }
