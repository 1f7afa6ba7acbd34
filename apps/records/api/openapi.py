"""``/v1/record`` in the OpenAPI document."""

from django.conf import settings

from apps.core import errors
from apps.core.http.openapi.operation import (
    COUNT,
    DATE,
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
from apps.flows.api.openapi import FLOW, FLOW_ID, FLOW_NAME, NUMBER
from apps.records.api.trace import CURRENT, DONE, FAILED
from apps.records.models import Status
from apps.records.services import RESERVED

TAG = "Records"
UUID_EXAMPLE = "client-1001"
TIME = "2026-05-03 11:47:38"

RECORD_EXAMPLE = {"client": [{"name": "De Vries Fietsen", "age": 34, "accounts": []}]}
"""Stands in every example for a record; the document made for a caller shows a record of theirs in its place."""

DOCUMENT = Named(
    "RecordDocument",
    {**OBJECT, "description": "The record itself: any object that fits the workspace's data schema."},
)
UUID = Parameter(
    headers=("X-Uuid", "uuid"),
    query=("uuid",),
    path="uuid",
    description="The record's name: 1 to 128 visible characters without a slash, and none of the words that are calls.",
    schema={
        "type": "string",
        "pattern": "^[^/\\s\\x00-\\x20\\x7f]{1,128}$",
        "not": {"enum": sorted(RESERVED)},
    },
    example=UUID_EXAMPLE,
)
NEW_UUID = Parameter(
    headers=UUID.headers,
    query=UUID.query,
    description=f"{UUID.description} Unique in the workspace. Only for a single record; without it a random one.",
    schema=UUID.schema,
    example=UUID_EXAMPLE,
)
EXECUTION_TIME = Parameter(
    headers=("X-Executiontime",),
    query=("executiontime", "realtime"),
    description="When to run it, with an offset. Empty or past: now.",
    example="2026-08-15T15:52:01+00:00",
)

CREATED = Named(
    "RecordCreated",
    shape({"flow_id": NUMBER, "flow_name": TEXT, "data_record_id": TEXT, "data_record": DOCUMENT}),
)
CREATED_EXAMPLE = {
    "flow_id": "1",
    "flow_name": FLOW,
    "data_record_id": UUID_EXAMPLE,
    "data_record": RECORD_EXAMPLE,
}
STEP = Named(
    "TraceEntry",
    shape(
        {
            "id": TEXT,
            "type": TEXT,
            "text": TEXT,
            "status": {"type": "string", "enum": [DONE, FAILED, CURRENT]},
            "date_started": DATE,
            "date_finished": DATE,
            "attempt": COUNT,
            "error": {"anyOf": [{"type": "null"}, shape({"code": TEXT, "message": TEXT})]},
        }
    ),
)
RECORD = Named(
    "Record",
    shape(
        {
            "info": shape(
                {
                    "uuid": TEXT,
                    "customer_id": NUMBER,
                    "flow_id": NUMBER,
                    "date_created": DATE,
                    "status": {"type": "string", "enum": [status.label for status in Status]},
                }
            ),
            "data_record": DOCUMENT,
            "flow_process": shape({"date_started": DATE, "date_last_run": DATE}),
            "flow_objects_info": list_of(STEP),
        }
    ),
)

CREATE = Operation(
    name="insertRecord",
    tag=TAG,
    summary="Insert records into a flow",
    description="The body is the record itself, or an array of records that is stored in full or not at all. Without "
    "`X-Flow-Id` and `X-Flow` the application's default flow is meant. The answer comes when the record is stored, "
    "before its flow runs.",
    parameters=[FLOW_ID, FLOW_NAME, NEW_UUID, EXECUTION_TIME],
    body=Body(
        schema={
            "anyOf": [DOCUMENT, list_of(DOCUMENT, minItems=1, maxItems=settings.RECORDS_PER_CALL)],
        },
        examples={"One record": RECORD_EXAMPLE, "Several records": [RECORD_EXAMPLE, RECORD_EXAMPLE]},
    ),
    errors=[errors.NotFound, errors.Conflict],
    answer=Answer(
        status=201,
        message="Data Record is created successfully",
        resource={"anyOf": [CREATED, list_of(CREATED)]},
        examples={
            "One record": CREATED_EXAMPLE,
            "Several records": [CREATED_EXAMPLE, CREATED_EXAMPLE | {"data_record_id": "client-1002"}],
        },
    ),
)
RETRIEVE = Operation(
    name="getRecord",
    tag=TAG,
    summary="Read a record with its trace",
    description="`data_record` is the document as the flow has changed it, `flow_objects_info` one entry for each "
    "object that the record has left and for each failed attempt; the object it stands on comes last.",
    parameters=[UUID],
    errors=[errors.NotFound],
    answer=Answer(
        message="Data Record structure was retrieving successfully",
        resource=RECORD,
        examples={
            "Finished": {
                "info": {
                    "uuid": UUID_EXAMPLE,
                    "customer_id": "1",
                    "flow_id": "1",
                    "date_created": TIME,
                    "status": "Finished",
                },
                "data_record": RECORD_EXAMPLE,
                "flow_process": {"date_started": TIME, "date_last_run": TIME},
                "flow_objects_info": [
                    {
                        "id": "start",
                        "type": "start",
                        "text": "A client arrives",
                        "status": "Finished",
                        "date_started": TIME,
                        "date_finished": TIME,
                        "attempt": 1,
                        "error": None,
                    }
                ],
            }
        },
    ),
)

UPDATED = Named(
    "RecordUpdated",
    shape({"flow_name": TEXT, "customer_id": NUMBER, "uuid": TEXT, "data_record": DOCUMENT}),
)
UPDATED_EXAMPLE = {
    "flow_name": FLOW,
    "customer_id": "1",
    "uuid": UUID_EXAMPLE,
    "data_record": RECORD_EXAMPLE,
}
UPDATE = Operation(
    name="updateRecord",
    tag=TAG,
    summary="Replace the documents of records",
    description="The body is the new document in full, or an array of as many documents as `X-Uuid` names records with "
    "commas between them, which are replaced all or not at all. Each must fit the data schema in force. Where the "
    "records stand in their flows stays as it is. A record that is being processed refuses it with 403. `If-Match` is "
    "for a single record.",
    parameters=[UUID],
    body=CREATE.body,
    conditional=True,
    errors=[errors.RecordInUse, errors.NotFound],
    answer=Answer(
        message="Data Record was updated successfully",
        resource={"anyOf": [UPDATED, list_of(UPDATED)]},
        examples={
            "One record": UPDATED_EXAMPLE,
            "Several records": [UPDATED_EXAMPLE, UPDATED_EXAMPLE | {"uuid": "client-1002"}],
        },
    ),
)
DESTROY = Operation(
    name="deleteRecord",
    tag=TAG,
    summary="Remove a record with its document and trace",
    description="A record that is being processed refuses it with 403.",
    parameters=[UUID],
    conditional=True,
    errors=[errors.RecordInUse, errors.NotFound],
    answer=Answer(
        message="Data Record was removed successfully",
        resource=Named("RecordRemoved", shape({"flow_name": TEXT, "uuid": TEXT})),
        examples={"Removed": {"flow_name": FLOW, "uuid": UUID_EXAMPLE}},
    ),
)
