"""``/v1/flowdiagram`` and ``/v1/changeflowstatus`` in the OpenAPI document."""

from apps.core import errors
from apps.core.http.openapi.answers import SVG
from apps.core.http.openapi.operation import DATE, TEXT, Answer, Named, Operation, Parameter, list_of, shape
from apps.flows.diagram.picture import picture_of
from apps.flows.diagram.svg import Drawing, draw
from apps.flows.engine.document import OBJECTS
from apps.flows.models import FlowStatus, VersionStatus

TAG = "Flows"
FLOW = "client_intake"
TIME = "2026-05-03 11:47:38"

FLOW_ID = Parameter(
    headers=("X-Flow-Id",), query=("flow_id",), description="The flow by its id, which wins over the name."
)
FLOW_NAME = Parameter(
    headers=("X-Flow",), query=("flow_name", "flow"), description="The flow by its name.", example=FLOW
)
STATUS = Parameter(
    headers=("X-Status",),
    query=("status",),
    description="What to do: `public` publishes the draft, if there is one, and runs the flow; `paused` lets it take "
    "records and run none; `running` resumes it; `inactive` stops it.",
    schema={"type": "string", "enum": ["public", "paused", "running", "inactive"]},
    example="public",
)
NUMBER = {"type": "string", "pattern": "^[0-9]*$"}

CURRENT = shape(
    {
        "flow_id": NUMBER,
        "version": NUMBER,
        "status": {"type": "string", "enum": list(FlowStatus.values)},
        "date_published": DATE,
        "objects": list_of(shape({"id": TEXT, "type": TEXT, "text": TEXT}, {"app": TEXT})),
        "connections": list_of(shape({"from": TEXT, "port": TEXT, "to": TEXT})),
    }
)
VERSION = shape(
    {
        "version": NUMBER,
        "status": {"type": "string", "enum": list(VersionStatus.values)},
        "date_created": DATE,
        "date_published": DATE,
    }
)
DIAGRAM = Named(
    "FlowDiagram",
    shape(
        {
            "customer": TEXT,
            "flow_name": TEXT,
            "description": TEXT,
            "current_flow": CURRENT,
            "versions": list_of(VERSION),
        }
    ),
)

EXAMPLE_OBJECTS = [
    {"id": "start", "type": "start", "text": "A client arrives"},
    {"id": "tell", "type": "app", "text": "Tell the echo", "app": "core.http"},
    {"id": "end", "type": "end", "text": "Done"},
]


def _drawn() -> str:
    """The example as a drawing."""
    objects: dict[str, dict[str, object]] = {item["id"]: dict(item) for item in EXAMPLE_OBJECTS}
    objects["start"]["next"], objects["tell"]["next"] = {"ok": "tell"}, {"ok": "end"}
    return draw(Drawing(picture_of({"start": "start", "objects": objects}), f"{FLOW}, version 1", "Notes each client."))


RETRIEVE = Operation(
    name="getFlowDiagram",
    tag=TAG,
    summary="Read a flow",
    description="The live version with its objects and connections, or the draft of a flow that was never published, "
    f"and the list of versions. Objects are of the types {', '.join(OBJECTS)}. Their configuration is never shown, "
    "because it may hold secrets. `X-Flow-Id` or `X-Flow` is required. With `Accept: image/svg+xml` the answer is a "
    "drawing of the same version, without an envelope; `fields` cannot choose from it, and errors are JSON.",
    parameters=[FLOW_ID, FLOW_NAME],
    errors=[errors.NotFound],
    answer=Answer(
        message="Flow diagram is retrieving successfully",
        resource=DIAGRAM,
        examples={
            "Flow": {
                "customer": "acme demo",
                "flow_name": FLOW,
                "description": "Notes each client.",
                "current_flow": {
                    "flow_id": "1",
                    "version": "1",
                    "status": "running",
                    "date_published": TIME,
                    "objects": EXAMPLE_OBJECTS,
                    "connections": [
                        {"from": "start", "port": "ok", "to": "tell"},
                        {"from": "tell", "port": "ok", "to": "end"},
                    ],
                },
                "versions": [{"version": "1", "status": "published", "date_created": TIME, "date_published": TIME}],
            }
        },
        other={SVG: _drawn()},
    ),
)
CHANGE_STATUS = Operation(
    name="changeFlowStatus",
    tag=TAG,
    summary="Publish, pause, resume or stop a flow",
    description="The status it has already is no error; what cannot follow the present status gets 409. `X-Flow-Id` "
    "or `X-Flow`, and `X-Status`, are required; a body is ignored.",
    parameters=[FLOW_ID, FLOW_NAME, STATUS],
    errors=[errors.NotFound, errors.Conflict],
    answer=Answer(
        message="Flow diagram has been published successfully",
        resource={"type": "string", "maxLength": 0},
        examples={"Published": ""},
    ),
)
