"""``/v1/record/search`` in the OpenAPI document, and by which names its parameters are read."""

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
from apps.records.api.openapi import TAG, TIME, UUID_EXAMPLE
from apps.records.models import Status

DEFAULT_LIMIT, MOST = 10, 100

# By the names they have inside.
PARAMETERS = {
    "limit": Parameter(
        headers=("X-Limit",),
        query=("limit",),
        description=f"Most records of the answer: by default {DEFAULT_LIMIT}, never more than {MOST}.",
    ),
    "offset": Parameter(headers=("X-Offset",), query=("offset",), description="Records to skip."),
    "uuid": Parameter(headers=("X-Uuid", "uuid"), query=("uuid",), description="The record of this name."),
    "flow_id": FLOW_ID,
    "flow_name": FLOW_NAME,
    "status": Parameter(
        headers=("X-Datarecord-Status",),
        query=("datarecord_status",),
        description="Records in a status: "
        + ", ".join(f"{status.value} {status.label}" for status in Status).lower()
        + ".",
        example=str(Status.FINISHED.value),
    ),
    "field_name": Parameter(
        headers=("X-Datafield-Name",),
        query=("datafield_name",),
        description="A data field of the workspace, or a path into the document; together with its value.",
    ),
    "field_value": Parameter(
        headers=("X-Datafield-Value",), query=("datafield_value",), description="What the data field must hold."
    ),
    "date_type": Parameter(
        headers=("X-Date-Type",),
        query=("date_type",),
        description="Which date is meant: `date_created`, which is the default, `date_started` or `date_last_run`.",
    ),
    "date_from": Parameter(
        headers=("X-Date-From",),
        query=("date_from",),
        description="The first moment, in the workspace's time zone unless it has an offset.",
        example="2026-05-01",
    ),
    "date_to": Parameter(
        headers=("X-Date-To",),
        query=("date_to",),
        description="The last moment; a day alone includes the whole of it.",
    ),
}
FOUND = Named(
    "FoundRecord",
    shape(
        {
            "id": NUMBER,
            "uuid": TEXT,
            "flow_id": NUMBER,
            "flow_name": TEXT,
            "flow_version": NUMBER,
            "date_created": DATE,
            "date_started": DATE,
            "date_last_run": DATE,
            "date_next_run": DATE,
            "queue_status": TEXT,
            "dynamic_value": {**TEXT, "description": "The value of the data field that lists show."},
            "current_step": shape({"type": TEXT, "text": TEXT}),
            "num_runs": NUMBER,
            "flow_status": NUMBER,
            "flow_status_name": {"type": "string", "enum": [status.label for status in Status]},
        }
    ),
)
FOUND_EXAMPLE = {
    "id": "1",
    "uuid": UUID_EXAMPLE,
    "flow_id": "1",
    "flow_name": FLOW,
    "flow_version": "1",
    "date_created": TIME,
    "date_started": TIME,
    "date_last_run": TIME,
    "date_next_run": "",
    "queue_status": "",
    "dynamic_value": "De Vries Fietsen",
    "current_step": {"type": "end", "text": "Done"},
    "num_runs": "1",
    "flow_status": str(Status.FINISHED.value),
    "flow_status_name": Status.FINISHED.label,
}
SEARCH = Operation(
    name="searchRecords",
    tag=TAG,
    summary="Search records",
    description="By uuid, flow, status, data field and dates; newest first. With one of the headers the URL's "
    "parameters do not count. A body may carry the URL's parameters, as a form or as an object.",
    parameters=tuple(PARAMETERS.values()),
    body=Body(schema=OBJECT, examples={"Finished": {"datarecord_status": "2"}}, required=False),
    errors=[errors.NotFound, errors.RequestTimeout, errors.BodyTooLarge],
    answer=Answer(
        message="The query has been executed successfully.",
        resource=shape({"records": list_of(FOUND), "total": COUNT, "offset": COUNT, "limit": COUNT}),
        examples={"Found": {"records": [FOUND_EXAMPLE], "total": 1, "offset": 0, "limit": DEFAULT_LIMIT}},
    ),
)
