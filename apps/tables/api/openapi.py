"""``/v1/tables`` in the OpenAPI document."""

from typing import Any

from apps.core import errors
from apps.core.http.openapi.operation import (
    ANYTHING,
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
from apps.core.http.openapi.where import where_schema
from apps.tables.searching import OPERATORS
from apps.tables.services import MOST_ROWS

TAG = "Tables"
NAME = "clients"
TIME = "2026-04-29 10:05:00"
COLUMNS = {"username": "newuser", "age": 54}
STORED = {"id": "2", "date_created": TIME, "date_updated": TIME, **COLUMNS}

TABLE = Parameter(
    path="table",
    description="The name of the table.",
    schema={"type": "string", "pattern": "^[^/]+$"},
    example=NAME,
)
ROW_ID = Parameter(
    path="row",
    description="The id of the row.",
    schema={"type": "string", "pattern": "^[^/]+$"},
    example="2",
)
PARAMETERS = (TABLE, ROW_ID)

ROW = Named("TableRow", {**shape({"id": TEXT, "date_created": DATE, "date_updated": DATE}), "additionalProperties": {}})
PAGE = Named(
    "TablePage",
    shape(
        {
            "data": list_of(ROW),
            "total": {**COUNT, "description": "Rows of this answer; of an update the rows that were changed."},
            "start_at": COUNT,
            "next_element": {**COUNT, "description": "The `offset` of the next page."},
            "limit": COUNT,
            "offset": COUNT,
            "max_results": {**COUNT, "description": "Rows that match."},
        }
    ),
)
LISTED: Any = {
    "columns": list_of(shape({"column_name": {"type": "string", "minLength": 1}, "column_value": ANYTHING}), minItems=1)
}
WHICH: Any = {
    "where": where_schema("TableWhere", OPERATORS),
    "limit": {"type": "integer", "minimum": 1, "description": f"At most {MOST_ROWS}, which is also the default."},
    "offset": {"type": "integer", "minimum": 0},
    "order_field": {**TEXT, "description": "A column, by default `id`."},
    "order_type": {**TEXT, "description": "`ASC`, which is the default, or `DESC`."},
}
ADULTS = {"condition": "AND", "rules": [{"field": "age", "operator": ">", "value": "35"}]}
LARGEST_FIRST = {"limit": 10, "offset": 0, "order_field": "age", "order_type": "desc"}


def _page(rows: list[Any], **numbers: int) -> dict[str, Any]:
    page = {"start_at": 0, "next_element": 0, "limit": MOST_ROWS, "offset": 0, "max_results": 0}
    return {"data": rows, "total": len(rows), **page, **numbers}


CREATE = Operation(
    name="insertRow",
    tag=TAG,
    summary="Insert a row",
    description="The body holds the values by column, or a list of them. An id in the path says nothing: the answer "
    "names the new one.",
    parameters=PARAMETERS,
    body=Body(
        schema={"anyOf": [Named("TableColumns", OBJECT), Named("TableColumnList", shape(LISTED))]},
        examples={
            "By column": COLUMNS,
            "As a list": {"columns": [{"column_name": "age", "column_value": 54}]},
        },
    ),
    errors=[errors.NotFound],
    answer=Answer(resource=PAGE, examples={"Inserted": _page([STORED])}),
)
RETRIEVE = Operation(
    name="getRow",
    tag=TAG,
    summary="Read a row",
    parameters=PARAMETERS,
    errors=[errors.NotFound],
    answer=Answer(resource=PAGE, examples={"Row": _page([STORED], next_element=1, max_results=1)}),
)
SEARCH = Operation(
    name="searchRows",
    tag=TAG,
    summary="Search rows",
    parameters=[TABLE],
    body=Body(schema=Named("TableSearch", shape({}, WHICH)), examples={"Over 35": {"where": ADULTS, **LARGEST_FIRST}}),
    errors=[errors.NotFound],
    answer=Answer(resource=PAGE, examples={"Found": _page([STORED], next_element=1, limit=10, max_results=1)}),
)
UPDATE = Operation(
    name="updateRows",
    tag=TAG,
    summary="Change rows",
    description="The row of the id in the path, those that `where` finds, or both must hold. At most `limit` rows are "
    "changed, all of them or none; `total` counts them.",
    parameters=PARAMETERS,
    body=Body(
        schema=Named("TableUpdate", {"type": "object", "properties": {**LISTED, **WHICH}}),
        examples={
            "Those over 35": {
                "columns": [{"column_name": "username", "column_value": "grown up"}],
                "where": ADULTS,
                **LARGEST_FIRST,
            },
        },
    ),
    conditional=True,
    errors=[errors.NotFound],
    answer=Answer(resource=PAGE, examples={"Changed": _page([], total=1)}),
)
DESTROY = Operation(
    name="deleteRow",
    tag=TAG,
    summary="Remove a row",
    parameters=PARAMETERS,
    conditional=True,
    errors=[errors.NotFound],
    answer=Answer(
        message=f"Successfully deleted row 2 in table {NAME}", resource={"const": 1}, examples={"Removed": 1}
    ),
)
