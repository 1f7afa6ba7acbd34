"""``/v1/schema`` in the OpenAPI document."""

import base64

from apps.core import errors
from apps.core.http.openapi.operation import DATE, TEXT, Answer, Body, Named, Operation, shape
from apps.core.jsonio import JSON, write_json

TAG = "Data schema"
URL = "https://example.com/client"
BASE64 = {"type": "string", "contentEncoding": "base64", "contentMediaType": "application/json"}
EXAMPLE_SCHEMA: JSON = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["client"],
    "properties": {"client": {"type": "array", "minItems": 1, "items": {"type": "object"}}},
}
EXAMPLE_RECORD: JSON = {"client": [{"name": "De Vries Fietsen", "age": 34, "accounts": []}]}


def encoded(document: JSON) -> str:
    """A document as the base64 that the body wants."""
    return base64.b64encode(write_json(document)).decode()


BODY = Body(
    schema=Named(
        "SchemaBody",
        shape(
            {
                "schema": {**BASE64, "description": "A JSON Schema of draft 4, as base64."},
                "data_record": {**BASE64, "description": "A record that fits it, as base64."},
                "url": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 2048,
                    "description": "An address of your choice; kept for reference, never fetched.",
                },
            }
        ),
    ),
    examples={"Clients": {"schema": encoded(EXAMPLE_SCHEMA), "data_record": encoded(EXAMPLE_RECORD), "url": URL}},
)
WHEN = {"creation_date": "2026-05-03 11:47:38", "modified_date": "2026-05-03 11:47:38"}
DATES = Named("SchemaDates", shape({"creation_date": DATE, "modified_date": DATE}))

CREATE = Operation(
    name="insertSchema",
    tag=TAG,
    summary="Store the data schema",
    description="From now on every record that is inserted must fit it. Records that are stored are not touched.",
    body=BODY,
    errors=[errors.Conflict],
    answer=Answer(
        status=201,
        message="Schema structure is created successfully",
        resource=DATES,
        examples={"Stored": WHEN},
    ),
)
RETRIEVE = Operation(
    name="getSchema",
    tag=TAG,
    summary="Read the data schema as it was sent",
    errors=[errors.NotFound],
    answer=Answer(
        message="Schema structure is retrieving successfully",
        resource=Named(
            "Schema",
            shape({"url": TEXT, "schema": BASE64, "creation_date": DATE, "modified_date": DATE, "customer": TEXT}),
        ),
        examples={"Schema": {"url": URL, "schema": encoded(EXAMPLE_SCHEMA), **WHEN, "customer": "acme demo"}},
    ),
)
UPDATE = Operation(
    name="updateSchema",
    tag=TAG,
    summary="Replace the data schema",
    body=BODY,
    conditional=True,
    errors=[errors.NotFound],
    answer=Answer(
        status=201,
        message="Schema structure is updated successfully",
        resource=DATES,
        examples={"Replaced": WHEN | {"modified_date": "2026-05-04 09:12:02"}},
    ),
)
DESTROY = Operation(
    name="deleteSchema",
    tag=TAG,
    summary="Remove the data schema",
    description="From now on records are taken as they are.",
    conditional=True,
    errors=[errors.NotFound],
    answer=Answer(
        message="Schema has been removed successfully",
        resource={"type": "object", "maxProperties": 0},
        examples={"Removed": {}},
    ),
)
