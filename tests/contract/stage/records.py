"""The data schema, flows and records in every state."""

import json
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from apps.flows import services as flows
from apps.flows.models import Flow
from apps.records.models import Hold, Record, Status
from apps.records.services import create_records
from tests.conftest import STRAIGHT_FLOW, publish
from tests.contract.builders import base64_of, schema_body
from tests.contract.stage.side import TenantSide

GOOD = {"client": [{"name": "Ada", "age": 36}]}
SCHEMA = {
    "type": "object",
    "properties": {
        "client": {"type": "array", "items": {"type": "object", "properties": {"age": {"type": "integer"}}}},
        "list": {"type": "array", "uniqueItems": True},
        "s": {"type": "string", "pattern": "^(a+)+$"},
    },
}
SECRET_STEP = "Bearer step-secret-0001"
INVOICE = {"invoice_date": "", "invoice_number": "", "amount": "", "expiration_date": ""}
ACCOUNT = {"dossier_no": "", "iban": "", "bic": "", "payment_method": "", "invoices": [INVOICE]}
# The record that the public documentation shows, values included.
DOCUMENTED = {
    "client": [
        {"uuid": "", "name": "", "street": "", "house_number": True, "postcode": "", "age": 0, "country": True}
        | {"raw_data": True, "post_id": "", "post_text": "", "post_url": True, "accounts": [ACCOUNT]}
    ]
}


class Records(TenantSide):
    """What records are made of, and records."""

    flow = "intake"
    client_document = json.dumps(DOCUMENTED)
    schema_text = base64_of(SCHEMA)
    sample_text = base64_of(GOOD)

    @cached_property
    def client_record(self) -> str:
        """A record with the documented content."""
        return self.new_record("client-1", DOCUMENTED)

    @cached_property
    def schema(self) -> str:
        """The data schema in force."""
        self.send("POST", "/v1/schema", schema_body(SCHEMA, GOOD), status=201)
        return "schema"

    @cached_property
    def schema_etag(self) -> str:
        return str(self.send("GET", self.schema and "/v1/schema")["ETag"])

    @cached_property
    def schema_etag_weak(self) -> str:
        return f"W/{self.schema_etag}"

    @cached_property
    def flow_id(self) -> str:
        return str(self.tenant.flow.pk)

    @cached_property
    def other_flow(self) -> str:
        publish(self.tenant, STRAIGHT_FLOW, "other")
        return "other"

    @cached_property
    def paused_flow(self) -> str:
        flows.change_status(self.tenant.caller, publish(self.tenant, STRAIGHT_FLOW, "paused"), "paused")
        return "paused"

    @cached_property
    def _inactive(self) -> Flow:
        return flows.change_status(self.tenant.caller, publish(self.tenant, STRAIGHT_FLOW, "inactive"), "inactive")

    @cached_property
    def inactive_flow(self) -> str:
        return self._inactive.name

    @cached_property
    def inactive_flow_id(self) -> str:
        return str(self._inactive.pk)

    @cached_property
    def _draft(self) -> Flow:
        flow = flows.create_flow(self.tenant.caller, name="draft")
        broken = STRAIGHT_FLOW | {"objects": {"end": {"type": "end"}}}
        flows.save_draft(self.tenant.caller, flow, flows.format_source(broken))
        return flow

    @cached_property
    def draft_flow(self) -> str:
        """A flow that was never published; its draft has no start."""
        return self._draft.name

    @cached_property
    def draft_flow_id(self) -> str:
        return str(self._draft.pk)

    @cached_property
    def secret_flow(self) -> str:
        """A flow with a credential in the configuration of a step."""
        call = {"method": "GET", "url": "http://192.0.2.1/", "headers": {"Authorization": SECRET_STEP}}
        objects = {
            "start": {"type": "start", "next": {"ok": "call"}},
            "call": {"type": "app", "app": "core.http", "with": call | {"save_to": "a"}, "next": {"ok": "end"}},
            "end": {"type": "end"},
        }
        publish(self.tenant, {"format": "flow/1", "name": "secret", "start": "start", "objects": objects})
        return "secret"

    @cached_property
    def record(self) -> str:
        return self.new_record("first")

    @cached_property
    def record2(self) -> str:
        return self.new_record("second")

    @cached_property
    def processing_record(self) -> str:
        """A record that a worker has at this moment."""
        row = self._changed(self.new_record("processing"), status=Status.PROCESSING)
        row.update(wake_at=timezone.now() + timedelta(minutes=5), date_started=timezone.now(), num_runs=1)
        return "processing"

    @cached_property
    def failed_record(self) -> str:
        self._changed(self.new_record("failed"), status=Status.FAILED, hold=Hold.ERROR, wake_at=None, at="adult")
        return "failed"

    @cached_property
    def finished_record(self) -> str:
        self._changed(self.new_record("finished"), status=Status.FINISHED, wake_at=None, at="end")
        return "finished"

    @cached_property
    def control_record(self) -> str:
        """A record whose texts XML has no spelling for."""
        return self.new_record("control", {"a": "\x01\x1f\x7f\ufffe\uffff\r\n\u2028"})

    def new_record(self, uuid: str, document: Any = None) -> str:
        """A record that waits for its worker."""
        create_records(self.tenant.caller, [document or GOOD], flow_name=self.flow, uuid=uuid)
        return uuid

    def _changed(self, uuid: str, **fields: Any) -> Any:
        rows = Record.objects.filter(workspace=self.tenant.workspace, uuid=uuid)
        rows.update(**fields)
        return rows
