"""``/v1/keystore`` in the OpenAPI document."""

from apps.core import errors
from apps.core.http.openapi.operation import (
    ANYTHING,
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
from apps.keystores.query import MOST_COLUMNS, OPERATORS

TAG = "Keystores"
IDENTIFIER, KEY, STORED = "weather", "london", {"temp": 15, "wind": "2 km/h S", "city": "London"}

KEYSTORE_ID = Parameter(
    path="keystore_id",
    description="The identifier of the keystore.",
    schema={"type": "string", "pattern": "^[^/]+$"},
    example=IDENTIFIER,
)
KEY_NAME = Parameter(
    path="key",
    description="The key: 1 to 255 printable characters without a slash, percent-encoded.",
    schema={"type": "string", "pattern": "^[^/]+$"},
    example=KEY,
)
PARAMETERS = (KEYSTORE_ID, KEY_NAME)
CONTENT = Named(
    "KeyContent",
    {"description": "What the key holds: any JSON value in a JSON keystore, a text in a RAW one.", **ANYTHING},
)
BODY = Body(schema=CONTENT, examples={"Weather": STORED}, description="What the key is to hold.")
SHOWN = Answer(resource=CONTENT, examples={"Weather": STORED})

RETRIEVE = Operation(
    name="getKey",
    tag=TAG,
    summary="Read a key of a keystore",
    description="The answer is what the key holds. A key that is not there is made with the structure of the keystore.",
    parameters=PARAMETERS,
    errors=[errors.NotFound],
    answer=SHOWN,
)
CREATE = Operation(
    name="insertKey",
    tag=TAG,
    summary="Store a new key",
    parameters=PARAMETERS,
    body=BODY,
    errors=[errors.NotFound, errors.Conflict],
    answer=SHOWN,
)
UPDATE = Operation(
    name="updateKey",
    tag=TAG,
    summary="Store a key in place of what it held",
    description="The whole of it; a key that is not there is made.",
    parameters=PARAMETERS,
    body=BODY,
    conditional=True,
    errors=[errors.NotFound],
    answer=SHOWN,
)
DESTROY = Operation(
    name="deleteKey",
    tag=TAG,
    summary="Remove a key",
    parameters=PARAMETERS,
    conditional=True,
    errors=[errors.NotFound],
    answer=Answer(
        message=f"Successfully deleted key {KEY} in keystore {IDENTIFIER}",
        resource={"type": "null"},
        examples={"Removed": None},
    ),
)

FIELD = shape({"field": {"type": "string", "minLength": 1}}, {"alias": TEXT})
WHERE = where_schema("KeystoreWhere", OPERATORS)
SEARCH = Operation(
    name="searchKeystore",
    tag=TAG,
    summary="Find keys by what they hold",
    description="The fields `key` and `*` are the key and all that it holds; others are the path of a part of the "
    "document. Rows come in the order of the keys, their values as texts.",
    parameters=[KEYSTORE_ID],
    body=Body(
        schema=Named(
            "KeystoreSearch",
            shape(
                {},
                {
                    "select": list_of(FIELD, maxItems=MOST_COLUMNS),
                    "where": WHERE,
                    "limit": {"type": "integer", "minimum": 1},
                    "offset": {"type": "integer", "minimum": 0},
                },
            ),
        ),
        examples={
            "Warm or in London": {
                "select": [{"field": "keystore.key", "alias": "MyKey"}, {"field": "temp", "alias": "temperature"}],
                "where": {
                    "condition": "OR",
                    "rules": [
                        {"field": "temp", "operator": ">", "value": "20"},
                        {"field": "city", "operator": "LIKE", "value": "lond%"},
                    ],
                },
            }
        },
    ),
    errors=[errors.NotFound, errors.AnswerTooLarge],
    answer=Answer(
        resource=list_of({"type": "object", "additionalProperties": {"type": ["string", "null"]}}),
        examples={"Found": [{"MyKey": KEY, "temperature": "15"}, {"MyKey": "madrid", "temperature": "24"}]},
    ),
)
