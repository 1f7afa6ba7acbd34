"""The faults that JSON Schema finds, in words."""

import jsonschema_rs


def fault_message(error: jsonschema_rs.ValidationError) -> str:
    """What is wrong, at most 300 characters; a list of choices is given whole."""
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Enum):
        return f"must be one of {', '.join(map(str, kind.options))}"[:300]
    return error.message[:300]


def fault_path(error: jsonschema_rs.ValidationError) -> tuple[str, ...]:
    """The keys and positions that lead to the value at fault."""
    return tuple(map(str, error.instance_path))
