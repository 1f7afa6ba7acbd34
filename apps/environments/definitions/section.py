"""The shape of one part of a definition."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Detail

Items = list[dict[str, Any]]


@dataclass(slots=True)
class Target:
    """The workspace that is brought in line.

    ``source_id`` is the workspace it is copied from, None when the definition comes from a file: secrets are copied
    along from the one, and made anew for the other. ``notes`` are lines for the person who asked. ``replaceable`` names
    the tables whose rows will be deleted anyway.
    """

    caller: Caller
    source_id: int | None = None
    replaceable: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)

    @property
    def workspace_id(self) -> int:
        """The workspace's id."""
        return self.caller.workspace_id


@dataclass(frozen=True, slots=True)
class Section:
    """One part: ``export`` reads its items, in a fixed order; ``apply`` makes those of the target the same.

    ``item_schema`` is the JSON Schema of one item, ``key`` the member that tells items apart. What exists in the target
    and not in the definition is removed where it holds no data of its own, and switched off where it does. ``apply``
    runs in a transaction and raises ``BadRequest`` and ``Conflict`` for what cannot be brought in line.
    """

    name: str
    item_schema: dict[str, Any]
    export: Callable[[int], Items]
    apply: Callable[[Target, Items], None]
    key: str = "name"
    most: int = 1000


@contextmanager
def placed(place: int | str, name: str) -> Iterator[None]:
    """Faults name the item that they are about: people by its name, details by its place."""
    try:
        yield
    except ValidationError as error:
        message = f"{name}: {' '.join(error.messages)}"
        raise BadRequest(message, details=[Detail(f"/{place}{path}", text) for path, text in _faults(error)]) from None
    except BadRequest as error:
        details = [Detail(f"/{place}{detail.path}", detail.message) for detail in error.details]
        message = f"{name}: {error.message}"
        raise BadRequest(message, details=details or [Detail(f"/{place}", error.message)]) from None


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Each fault with the member it is about; those of the whole item have none."""
    members = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    for member, texts in members.items():
        for text in texts:
            yield "" if member == NON_FIELD_ERRORS else f"/{member}", text


def described(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """The schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
NAME = {"type": "string", "minLength": 1, "maxLength": 128}
FLAG = {"type": "boolean"}
COUNT = {"type": "integer", "minimum": 0}
