"""``/v1/record/changestatus`` and ``/v1/record/movetoflow`` in the OpenAPI document."""

from django.conf import settings

from apps.core import errors
from apps.core.http.openapi.operation import COUNT, TEXT, Answer, Body, Named, Operation, Parameter, list_of, shape
from apps.flows.api.openapi import FLOW
from apps.records.api.openapi import TAG, UUID_EXAMPLE
from apps.records.life_cycle import QueueState
from apps.records.queueing import QUEUE_ACTS

MOVED = "Data Record is moved to a new flow successfully and it is included in the queue."
OTHER_UUID = "client-1002"

QUEUE_STATUS = Parameter(
    headers=("X-Queue-Status",),
    query=("queue_status",),
    description="What to do: `pause-queue` holds records back, `resume-queue` lets held ones go on, `execute-queue` "
    "runs them now whatever their date, `delete-from-queue` takes them out and keeps the records, "
    "`resume-and-continue` runs failed ones again from the object that failed. Required.",
    schema={"type": "string", "enum": list(QUEUE_ACTS)},
    example="pause-queue",
)
QUEUE_UUIDS = Parameter(
    headers=("X-Queue-Uuids",),
    query=("queue_uuids",),
    description="The records, with commas between them; or they stand in the body.",
    example=UUID_EXAMPLE,
)
TARGET = Parameter(
    headers=("X-MoveToFlow-Flow",),
    query=("movetoflow",),
    description="The flow to move to, by its name or else its id. Required.",
    example=FLOW,
)
UUIDS = list_of(TEXT, minItems=1, maxItems=settings.RECORDS_PER_CALL)
BODY = Body(
    schema={"anyOf": [UUIDS, shape({"uuids": {"anyOf": [UUIDS, TEXT]}})]},
    examples={"The records": [UUID_EXAMPLE]},
    description="The records, when `X-Queue-Uuids` does not name them.",
    required=False,
)

QUEUED = Named(
    "QueuedRecord",
    shape(
        {
            "uuid": TEXT,
            "queue_status": {"type": "string", "enum": [state.key for state in QueueState]},
            "queue_status_key": {"type": "string", "enum": [state.label for state in QueueState]},
        },
        {"message": {"type": "string", "description": "Why the record stayed as it was; absent when it changed."}},
    ),
)
MOVED_RECORD = Named(
    "MovedRecord",
    shape(
        {
            "uuid": TEXT,
            "message": TEXT,
            "movetoflow": {"type": "string", "description": "The flow it is in now; empty when it was not moved."},
        }
    ),
)

CHANGE_STATUS = Operation(
    name="changeQueueStatus",
    tag=TAG,
    summary="Pause, resume, execute, take out of the queue or continue records",
    description="Each record that is in a state for it is changed, and the others say why they were not. Records that "
    "are being processed refuse everything. When no record changed the answer is 402, when none is known 404.",
    parameters=[QUEUE_STATUS, QUEUE_UUIDS],
    body=BODY,
    errors=[errors.NothingChanged, errors.NotFound],
    answer=Answer(
        message="2 datarecords paused",
        resource=shape({"records": list_of(QUEUED), "total": COUNT}),
        examples={
            "Paused": {
                "records": [
                    {"uuid": UUID_EXAMPLE, "queue_status": "2", "queue_status_key": "Paused"},
                    {"uuid": OTHER_UUID, "queue_status": "2", "queue_status_key": "Paused"},
                ],
                "total": 2,
            }
        },
    ),
)
MOVE = Operation(
    name="moveToFlow",
    tag=TAG,
    summary="Let records begin anew in another flow",
    description="They enter the start of the flow's published version with the document they have, and keep the trace "
    "of the runs before. Records that are being processed are not moved. When no record was moved the answer is 402, "
    "when none is known 404; a flow that takes no records gets 409.",
    parameters=[TARGET, QUEUE_UUIDS],
    body=BODY,
    errors=[errors.NothingChanged, errors.NotFound, errors.Conflict],
    answer=Answer(
        message="1 flows moved to the new one",
        resource=shape({"records": list_of(MOVED_RECORD), "total": COUNT}),
        examples={
            "Moved": {"records": [{"uuid": UUID_EXAMPLE, "message": MOVED, "movetoflow": FLOW}], "total": 1},
        },
    ),
)
