"""The schema and sample that the tests store."""

import base64
import json
from typing import Any

import pytest

SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["client"],
    "properties": {
        "client": {
            "type": "object",
            "properties": {"age": {"type": "integer", "minimum": 0}, "name": {"type": "string"}},
        }
    },
}
SAMPLE = {"client": {"age": 30, "name": "Zoë"}}


def encoded(value: Any) -> str:
    """Base64 of the JSON."""
    return base64.b64encode(json.dumps(value).encode()).decode()


@pytest.fixture
def payload() -> dict[str, str]:
    """The body of an insert or update."""
    return {"schema": encoded(SCHEMA), "data_record": encoded(SAMPLE), "url": "https://example.org/lead"}
