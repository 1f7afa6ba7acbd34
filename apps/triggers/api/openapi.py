"""``/v1/webhook/{uri}`` and ``/v1/url/{secret}`` in the OpenAPI document."""

from django.conf import settings

from apps.core import errors
from apps.core.http.openapi.operation import (
    ANYTHING,
    OBJECT,
    TEXT,
    Answer,
    Body,
    Named,
    Operation,
    Parameter,
    list_of,
    shape,
)

TAG = "Webhooks"
URI = Parameter(
    path="uri",
    description="The webhook's secret address, which the admin shows once.",
    schema={"type": "string", "pattern": "^[\\x21-\\x2e\\x30-\\x7e]{1,128}$"},
    example="4f9d6c0b7a1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4",
)
DELIVERY = {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"}
WEBHOOK_ID = Parameter(
    headers=("webhook-id",),
    description="The sender's id of the delivery: a second one with the same id stores nothing and is answered as the "
    "first was, with `Idempotency-Replayed: true`.",
    schema=DELIVERY,
    example="msg_1",
)
IDEMPOTENCY_KEY = Parameter(
    headers=("Idempotency-Key",),
    description="The same, but with another payload it gets 409. Ignored beside `webhook-id`.",
    schema=DELIVERY,
)
PAYLOAD = {"order": {"id": "A-1001", "status": "paid"}}
EVENT = Named(
    "WebhookEvent",
    shape(
        {
            "_id": shape({"$id": {"type": "string", "pattern": "^[0-9a-f]{24}$"}}),
            "customer_id": {"type": "string", "description": "The project's id."},
            "plugin_id": {"type": "string", "description": "The group of apps the webhook belongs to."},
            "application_id": {"type": "string", "description": "The webhook's id."},
            "date_created": {"type": "string", "format": "date-time"},
            "data": ANYTHING,
        }
    ),
)
EVENT_EXAMPLE = {
    "_id": {"$id": "6923a1f0b3c45d6e7f801234"},
    "customer_id": "1",
    "plugin_id": "1",
    "application_id": "4",
    "date_created": "2026-05-03T11:47:38+02:00",
    "data": PAYLOAD,
}

RECEIVE = Operation(
    name="webhook",
    tag=TAG,
    summary="Deliver to a webhook",
    description="Knowing the address is the only credential. The payload is stored as an event and, where the webhook "
    "has a flow, becomes a record of it; 201 says that it is stored. A webhook that takes batches makes one event of "
    "each item of an array.",
    parameters=[URI, WEBHOOK_ID, IDEMPOTENCY_KEY],
    body=Body(
        schema={"anyOf": [OBJECT, list_of(ANYTHING, minItems=1, maxItems=settings.RECORDS_PER_CALL)]},
        examples={"An event": PAYLOAD},
    ),
    errors=[errors.NotFound, errors.Conflict, errors.StorageFull],
    answer=Answer(
        status=201,
        message="Data stored successfully",
        resource={"anyOf": [EVENT, list_of(EVENT)]},
        examples={"Stored": EVENT_EXAMPLE, "A batch stored": [EVENT_EXAMPLE]},
    ),
)

SECRET = Parameter(
    path="secret",
    description="The trigger's secret address, which the admin shows once.",
    schema=URI.schema,
    example="91d3c0b7a1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978879600ff1",
)
ONCE = Parameter(
    headers=("Idempotency-Key",),
    description="Makes the record once, however often the call is sent: a repetition is answered from the same record, "
    "with `Idempotency-Replayed: true`; another body gets 409.",
    schema=DELIVERY,
)
MADE = Named("RecordOfUrl", shape({"flow_id": TEXT, "flow_name": TEXT, "data_record_id": TEXT, "data_record": OBJECT}))
DOCUMENT = {"client": [{"name": "Ada", "age": 36, "accounts": []}]}
MADE_EXAMPLE = {
    "flow_id": "1",
    "flow_name": "client_intake",
    "data_record_id": "0a4ee1f2-5a3c-4e0f-9d0e-6f0d1c9a7b11",
    "data_record": DOCUMENT,
}
UUID = MADE_EXAMPLE["data_record_id"]

CALL_URL = Operation(
    name="callUrl",
    tag="URL triggers",
    summary="Call a URL trigger",
    description="Knowing the address is the only credential. The body becomes a record of the trigger's flow; one that "
    "takes batches makes a record of each item of an array.\n\n"
    "A *Direct* URL answers 201 once the record is stored. A *Sync* URL waits until the record comes to rest and "
    "answers 200, or whatever status, headers and body the flow's `core.respond` gave; after its time limit it answers "
    "202, and the record goes on. A *Dynamic* URL answers 201: it makes a record when it meets an identifier first, "
    "and after that stores the body as an event of its webhook, which wakes the record.",
    parameters=[SECRET, ONCE],
    body=Body(
        schema={"anyOf": [OBJECT, list_of(OBJECT, minItems=1, maxItems=settings.RECORDS_PER_CALL)]},
        examples={"A document": DOCUMENT},
    ),
    errors=[errors.NotFound, errors.Conflict, errors.StorageFull],
    answer=Answer(
        status=201,
        message="Data Record is created successfully",
        resource={"anyOf": [MADE, EVENT, list_of({"anyOf": [MADE, EVENT]})]},
        examples={"Direct": MADE_EXAMPLE, "A batch": [MADE_EXAMPLE], "Dynamic, known": EVENT_EXAMPLE},
    ),
    others=[
        Answer(
            status=200,
            message="Data Record has come to rest",
            resource=shape({"uuid": TEXT, "status": TEXT, "data": OBJECT}),
            examples={"Sync": {"uuid": UUID, "status": "Finished", "data": DOCUMENT | {"intake": "accepted"}}},
        ),
        Answer(
            status=202,
            message="Data Record is being processed",
            resource=shape({"uuid": TEXT}),
            examples={"Sync, too late": {"uuid": UUID}},
        ),
    ],
)
