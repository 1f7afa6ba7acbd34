"""What the operations do: each calls the service that REST calls, and words its answer."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.applications.caller import Caller
from apps.core import dates
from apps.core.errors import BadRequest, Detail
from apps.core.jsonio import JSON, Limits, check_value, read_json, write_json
from apps.flows import services as flows
from apps.flows.resources import STATUS_TEXTS, flow_resource
from apps.records import changing
from apps.records import services as records
from apps.records.resources import created_resource, updated_resource
from apps.schemas import services as schemas
from apps.schemas.resources import schema_resource


@dataclass(frozen=True, slots=True)
class Given:
    """What a call gives: its texts by their names, "" for none; ``customer`` is the document of ``postRecord``."""

    texts: dict[str, str]
    customer: JSON = None

    def text(self, name: str) -> str:
        """A text, or ""."""
        return self.texts.get(name, "")

    def required(self, name: str) -> str:
        """A text that must be there."""
        if text := self.text(name):
            return text
        raise BadRequest(f"{name} is missing.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation answers."""

    resource: str
    message: str


def insert_schema(caller: Caller, given: Given) -> Outcome:
    """Store the data schema."""
    schemas.create_schema(caller, **_schema(given))
    return Outcome("", "Data Schema is created successfully.")


def get_schema(caller: Caller, given: Given) -> Outcome:
    """The data schema, itself in base64."""
    resource = schema_resource(caller, schemas.get_schema(caller))
    return Outcome(_json(resource), "Schema structure is retrieving successfully")


def update_schema(caller: Caller, given: Given) -> Outcome:
    """Replace the data schema."""
    schema = schemas.update_schema(caller, **_schema(given))
    return Outcome(_writable(schema.source), "Schema structure is updated successfully")


def delete_schema(caller: Caller, given: Given) -> Outcome:
    """Remove the data schema."""
    schemas.delete_schema(caller)
    return Outcome("", "Schema has been removed successfully")


def insert_record(caller: Caller, given: Given) -> Outcome:
    """Insert one document or an array of them."""
    documents = _documents(given)
    several = isinstance(documents, list)
    created = _insert(caller, given, documents if several else [documents])
    resource = created_resource(created, several=several)
    return Outcome(_base64(resource), "Data Record is created successfully and it is included in the queue.")


def insert_customer(caller: Caller, given: Given) -> Outcome:
    """Insert the members of ``Customer`` as one document; the resource is the record's uuid."""
    check_value(given.customer, limits=Limits(depth=settings.JSON_DEPTH))
    (created,) = _insert(caller, given, [given.customer])
    return Outcome(created.uuid, "Data Record created successfully")


def get_record(caller: Caller, given: Given) -> Outcome:
    """A record's document."""
    record, _ = records.get_record(caller, given.required("Uuid"))
    return Outcome(_json(record.content.data), "Data Record structure was retrieving successfully")


def update_record(caller: Caller, given: Given) -> Outcome:
    """Replace the document of a record, or an array of as many as uuids with commas between them."""
    named, documents = given.required("Uuid"), _documents(given)
    several = isinstance(documents, list)
    uuids = [part for part in (item.strip() for item in named.split(",")) if part] if several else [named]
    updated = changing.update_records(caller, uuids, documents if several else [documents])
    return Outcome(_base64(updated_resource(caller, updated, several=several)), "Data Record is updated successfully.")


def delete_record(caller: Caller, given: Given) -> Outcome:
    """Remove a record."""
    changing.delete_record(caller, given.required("Uuid"))
    return Outcome("", "Data Record is deleted successfully.")


def get_flow(caller: Caller, given: Given) -> Outcome:
    """A flow's diagram."""
    flow = flows.get_flow(caller, **_flow(given))
    return Outcome(_json(flow_resource(caller, flow)), "Flow diagram is retrieving successfully")


def change_status(caller: Caller, given: Given) -> Outcome:
    """Publish, pause, resume or stop a flow."""
    flow = flows.get_flow(caller, **_flow(given))
    status = given.required("Status")
    flow = flows.change_status(caller, flow, status)
    return Outcome(_json(flow_resource(caller, flow)), f"Flow diagram has been {STATUS_TEXTS[status]} successfully")


def read_document(name: str, text: str | bytes) -> JSON:
    """A JSON document as every delivery reads one; raises ``BadRequest`` that names it."""
    try:
        return read_json(text, limits=Limits(depth=settings.JSON_DEPTH))
    except BadRequest as error:
        details = [Detail(f"/{name}{detail.path}", detail.message) for detail in error.details]
        raise BadRequest(f"{name}: {error.message}", details=details) from None


def _insert(caller: Caller, given: Given, documents: list[JSON]) -> list[records.CreatedRecord]:
    at = given.text("ExecutionTime")
    return records.create_records(
        caller,
        documents,
        flow_id=given.text("FlowId") or None,
        flow_name=given.text("Flow") or None,
        uuid=given.text("Uuid") or None,
        execute_at=dates.read_atom("ExecutionTime", at) if at else None,
    )


def _documents(given: Given) -> Any:
    try:
        document = base64.b64decode("".join(given.required("Data").split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("Data is not the base64 of a JSON document.") from None
    return read_document("Data", document)


def _schema(given: Given) -> dict[str, Any]:
    return {"url": given.text("Url"), "schema": given.text("Schema"), "data_record": given.text("DataRecord")}


def _flow(given: Given) -> dict[str, str | None]:
    return {"flow_id": given.text("FlowId") or None, "name": given.text("Flow") or None}


def _json(value: Any) -> str:
    return _writable(write_json(value).decode())


def _writable(text: str) -> str:
    """The same JSON with escapes for the characters that XML lacks; JSON itself escapes the others."""
    return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def _base64(value: Any) -> str:
    return base64.b64encode(write_json(value)).decode()
