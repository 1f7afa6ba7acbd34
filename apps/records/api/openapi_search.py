"""``/v1/record/search`` in the OpenAPI document."""

from apps.core import errors
from apps.core.http.openapi.operation import (
    COUNT,
    DATE,
    TEXT,
    Answer,
    Body,
    Named,
    Operation,
    Parameter,
    list_of,
    shape,
)
from apps.flows.api.openapi import FLOW, NUMBER
from apps.records.api.openapi import TAG, TIME, UUID_EXAMPLE
from apps.records.life_cycle import QueueState
from apps.records.models import Status
from apps.records.search_sql import DATES

DIGITS = {"type": "string", "pattern": "^[0-9]{0,18}$"}
DAY = "`Y-m-d` or `d-m-Y`, with or without a time, or with an offset as in RFC 3339; `24:00:00` ends the day."
# One name inside for each parameter; where it is read from stands in ``search_views.PARAMETERS``.
DESCRIPTIONS = {
    "limit": ("Most records in an answer: 10 without it, at most 100.", DIGITS, None),
    "offset": ("How many records to pass over.", DIGITS, None),
    "uuid": ("The record of that name.", TEXT, None),
    "flow_id": ("Records of the flow with that id.", DIGITS, None),
    "flow_name": ("Records of the flow with that name.", TEXT, None),
    "status": (
        "Records in that status: " + ", ".join(f"{status.value} {status.label.lower()}" for status in Status) + ".",
        {"type": "string", "enum": [str(status.value) for status in Status]},
        None,
    ),
    "field_name": ("The data field to search by; with its value.", TEXT, None),
    "field_value": ("The value that field has.", TEXT, None),
    "date_type": (
        "Which date the period is about; `date_created` without it.",
        {"type": "string", "enum": list(DATES)},
        None,
    ),
    "date_from": (f"From then on: {DAY}", TEXT, "2026-05-01"),
    "date_to": (f"Until then, that moment or day included: {DAY}", TEXT, None),
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
            "queue_status": {"type": "string", "enum": [state.key for state in QueueState]},
            "dynamic_value": {"type": "string", "description": "The data field that lists show; empty without one."},
            "current_step": shape({"type": TEXT, "text": TEXT}),
            "num_runs": NUMBER,
            "flow_status": {"type": "string", "enum": [str(status.value) for status in Status]},
            "flow_status_name": {"type": "string", "enum": [status.label for status in Status]},
        }
    ),
)
EXAMPLE = {
    "id": "17",
    "uuid": UUID_EXAMPLE,
    "flow_id": "1",
    "flow_name": FLOW,
    "flow_version": "1",
    "date_created": TIME,
    "date_started": TIME,
    "date_last_run": TIME,
    "date_next_run": "",
    "queue_status": "",
    "dynamic_value": "",
    "current_step": {"type": "end", "text": "Done"},
    "num_runs": "1",
    "flow_status": "2",
    "flow_status_name": "Finished",
}


def search(places: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> Operation:
    """The operation, for parameters that are read from those headers and names of the URL."""
    return Operation(
        name="searchRecords",
        tag=TAG,
        summary="Search records, newest first",
        description="All that is given must fit. As soon as one parameter stands in a header, none of the URL counts. "
        "`date_from` and `date_to` bound the date that `date_type` names; by another date than the creation's the "
        "records come in the order of that date. The parameters of the URL may also stand in the body, as a form or "
        "as an object. `total` counts all matches, up to a bound beyond the page.",
        parameters=[
            Parameter(headers=headers, query=names, description=text, schema=schema, example=example)
            for (headers, names), (text, schema, example) in ((places[name], DESCRIPTIONS[name]) for name in places)
        ],
        body=Body(
            schema={"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
            examples={"A period": {"date_type": "date_created", "date_from": "2026-05-01", "limit": 10}},
            description="The parameters by their names in the URL.",
            required=False,
        ),
        errors=[errors.RequestTimeout, errors.BodyTooLarge, errors.UnsupportedMediaType],
        answer=Answer(
            message="The query has been executed successfully.",
            resource=shape({"records": list_of(FOUND), "total": COUNT, "offset": COUNT, "limit": COUNT}),
            examples={"Found": {"records": [EXAMPLE], "total": 1, "offset": 0, "limit": 10}},
        ),
    )
