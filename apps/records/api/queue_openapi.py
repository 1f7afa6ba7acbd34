"""``/v1/record/changestatus`` and ``/v1/record/movetoflow`` in the OpenAPI document."""

from apps.core import errors
from apps.core.http.openapi.operation import COUNT, TEXT, Answer, Body, Operation, Parameter, list_of, shape
from apps.flows.api.openapi import FLOW
from apps.records.api.openapi import TAG, UUID_EXAMPLE
from apps.records.queueing import QUEUE_ACTS

UUIDS = Parameter(
    headers=("X-Queue-Uuids",),
    query=("queue_uuids",),
    description="The records, with commas between them; or they stand in the body.",
)
LISTED = Body(
    schema={"anyOf": [list_of(TEXT), shape({"uuids": list_of(TEXT)})]},
    examples={"Records": [UUID_EXAMPLE], "As an object": {"uuids": [UUID_EXAMPLE]}},
    required=False,
)
QUEUED = shape({"uuid": TEXT, "queue_status": TEXT, "queue_status_key": TEXT}, {"message": TEXT})
MOVED = shape({"uuid": TEXT, "message": TEXT, "movetoflow": TEXT})

CHANGE_STATUS = Operation(
    name="changeQueueStatus",
    tag=TAG,
    summary="Pause, resume or execute records, take them out of the queue, or continue after an error",
    description="A record that cannot follow stays as it is and says why; when none can, the answer is 402.",
    parameters=[
        Parameter(
            headers=("X-Queue-Status",),
            query=("queue_status",),
            description="What to do with them.",
            schema={"type": "string", "enum": list(QUEUE_ACTS)},
            example="pause-queue",
        ),
        UUIDS,
    ],
    body=LISTED,
    errors=[errors.NotFound, errors.NothingChanged],
    answer=Answer(
        message="1 datarecords paused",
        resource=shape({"records": list_of(QUEUED), "total": COUNT}),
        examples={
            "Paused": {
                "records": [{"uuid": UUID_EXAMPLE, "queue_status": "2", "queue_status_key": "Paused"}],
                "total": 1,
            }
        },
    ),
)
MOVE = Operation(
    name="moveToFlow",
    tag=TAG,
    summary="Let records begin anew in another flow",
    description="A record that cannot be moved stays where it is and says why; when none can, the answer is 402.",
    parameters=[
        Parameter(
            headers=("X-MoveToFlow-Flow",),
            query=("movetoflow",),
            description="The name of the flow.",
            example=FLOW,
        ),
        UUIDS,
    ],
    body=LISTED,
    errors=[errors.NotFound, errors.NothingChanged, errors.Conflict],
    answer=Answer(
        message="1 flows moved to the new one",
        resource=shape({"records": list_of(MOVED), "total": COUNT}),
        examples={
            "Moved": {
                "records": [
                    {
                        "uuid": UUID_EXAMPLE,
                        "message": "Data Record is moved to a new flow successfully and it is included in the queue.",
                        "movetoflow": FLOW,
                    }
                ],
                "total": 1,
            }
        },
    ),
)
