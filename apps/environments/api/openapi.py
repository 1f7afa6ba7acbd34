"""``/v1/environment`` in the OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

from apps.core import errors
from apps.core.errors import FlowizeError
from apps.core.http.openapi import answers
from apps.core.http.openapi.autoschema import OperationSchema
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
from apps.environments.models import Status
from apps.environments.packages import ADDON_GIGABYTES, PACKAGES, REGIONS

TAG = "Environments"
NUMBER: Mapping[str, Any] = {"type": "number", "minimum": 0}
DIGITS = {"type": "string", "pattern": "^[0-9]+$"}
FLAG = {"type": "integer", "enum": [0, 1]}

ENVIRONMENT_ID = Parameter(
    path="environment_id",
    description="The id of the environment.",
    schema={"type": "string", "pattern": "^[^/]+$"},
    example="1",
)
PROJECT_ID = Parameter(
    path="project_id",
    description="The id of the project.",
    schema={"type": "string", "pattern": "^[^/]+$"},
    example="55",
)

HOST = {"type": "string", "description": "Without a port; empty until the environment is ready."}
SUBJECT_PART = {"type": ["string", "array", "null"], "items": TEXT}
CERTIFICATE = Named(
    "EnvironmentCertificate",
    {
        **shape(
            {
                "name": TEXT,
                "subject": {"type": "object", "additionalProperties": SUBJECT_PART},
                "hash": TEXT,
                "issuer": {"type": "object", "additionalProperties": SUBJECT_PART},
                "version": {"type": "integer"},
                "serial_number": TEXT,
                "valid_from": {"type": "integer"},
                "valid_to": {"type": "integer"},
                "signature_type_SN": TEXT,
                "signature_type_LN": TEXT,
                "signature_type_NID": {"type": "integer"},
                "purposes": {
                    "type": "object",
                    "description": "By number: whether it serves the purpose, whether as an authority, its name.",
                    "additionalProperties": {"type": "array", "minItems": 3, "maxItems": 3},
                },
            }
        ),
        "type": ["object", "null"],
    },
)
STATS = Named(
    "EnvironmentStats",
    shape(
        {
            "status": {"type": "string", "enum": ["OK", "OBSERVE", "CRITICAL"]},
            "current_storage": {**NUMBER, "description": "Gigabytes in use."},
            **{
                name: {**COUNT, "description": "In the last 30 days."}
                for name in ("visits", "records", "batches", "webhooks", "tasks")
            },
            "avg_performance": {
                **NUMBER,
                "description": "Percent of what the package can do, over the minutes of the last 24 hours with work.",
            },
            "peak_performance": {**NUMBER, "description": "The same of the busiest of them."},
        }
    ),
)
_DESCRIBED = {
    "id": DIGITS,
    "name": TEXT,
    "description": TEXT,
    "date_created": DATE,
    "date_updated": DATE,
    "info": shape({"frontend_url": HOST, "api_url": HOST, "html_url": HOST, "timezone": TEXT}),
    "status": {"type": "string", "enum": list(Status.values)},
    "projects": list_of(DIGITS),
    "package": shape({"name": TEXT, "code": {"type": "string", "enum": list(PACKAGES)}}),
    "software": shape(
        {"current_version": shape({"version": TEXT, "date_created": DATE, "blocking_update": FLAG, "changelog": TEXT})}
    ),
    "base_storage": COUNT,
    "total_storage": COUNT,
    "storage_addons": list_of({"const": ADDON_GIGABYTES}),
    "storage_info": shape({"used": NUMBER, "total": COUNT, "used_percentage": NUMBER, "available_percentage": NUMBER}),
    "active": FLAG,
    "ip": TEXT,
}
ENVIRONMENT = Named("Environment", shape(_DESCRIBED, {"stats": STATS, "ssl_certificate": CERTIFICATE}))

EXAMPLE: dict[str, Any] = {
    "id": "1",
    "name": "Production",
    "description": "",
    "date_created": "2026-11-28 09:00:00",
    "date_updated": "2026-11-28 09:00:04",
    "info": {
        "frontend_url": "www-2k4n7q0c9x1m5v8b3z6t0r2w.example.com",
        "api_url": "api-2k4n7q0c9x1m5v8b3z6t0r2w.example.com",
        "html_url": "web-2k4n7q0c9x1m5v8b3z6t0r2w.example.com",
        "timezone": "Europe/Amsterdam",
    },
    "status": "ready",
    "projects": ["55"],
    "package": {"name": "Single Server A", "code": "SS-A"},
    "software": {
        "current_version": {
            "version": "v.0.1.0",
            "date_created": "2026-11-28 01:00:00",
            "blocking_update": 1,
            "changelog": "",
        }
    },
    "base_storage": 20,
    "total_storage": 20,
    "storage_addons": [],
    "storage_info": {"used": 5.3978, "total": 20, "used_percentage": 26.99, "available_percentage": 73.01},
    "active": 1,
    "ip": "203.0.113.20",
}
STATS_EXAMPLE = {
    "status": "OBSERVE",
    "current_storage": 5.3978,
    "visits": 120,
    "records": 11,
    "batches": 0,
    "webhooks": 3,
    "tasks": 32,
    "avg_performance": 12.3117,
    "peak_performance": 72.67,
}
CREATING = EXAMPLE | {
    "status": "creating",
    "info": {"frontend_url": "", "api_url": "", "html_url": "", "timezone": "Europe/Amsterdam"},
    "projects": [],
    "storage_info": {"used": 0.0, "total": 20, "used_percentage": 0.0, "available_percentage": 100.0},
    "ip": "",
}
MEASURED = EXAMPLE | {"stats": STATS_EXAMPLE}


def answer(data: Any, examples: Mapping[str, Any], status: int = 200) -> Answer:
    """An answer with the two keys."""
    return Answer(
        status=status,
        resource=shape({"code": {"const": status}, "data": data}),
        examples={title: {"code": status, "data": example} for title, example in examples.items()},
    )


class OrganizationSchema(OperationSchema):
    """Operations that take the organization's key."""

    def get_auth(self) -> list[dict[str, Any]]:
        """Nothing else."""
        return [{"organizationKey": []}]

    def errors(self) -> Iterator[type[FlowizeError]]:
        """Who is not known or has called too often."""
        yield from super().errors()
        yield errors.WrongCredentials
        yield errors.TooManyRequests
        if self.method == "POST":
            yield errors.Conflict

    def shared_parameters(self) -> Iterator[str]:
        """Orders can be sent twice and be carried out once."""
        yield from super().shared_parameters()
        if self.method == "POST":
            yield "Idempotency-Key"

    def headers(self) -> tuple[str, ...]:
        """The organization's rate limit beside the rest."""
        replayed = ("Idempotency-Replayed",) if self.method == "POST" else ()
        return super().headers() + replayed + answers.RATE

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        for status, body in bodies.items():
            if int(status) >= 400:
                body["$ref"] += answers.BRIEF
        return bodies


BUSY = (errors.NotFound, errors.Conflict)
WAIT = "A job does the work: ask for the status until it is `ready`, or `error`. While one is under way, 409."

LIST = Operation(
    name="listEnvironments",
    tag=TAG,
    summary="List the environments of the organization",
    answer=answer(list_of(ENVIRONMENT), {"One": [MEASURED]}),
)
CREATE = Operation(
    name="createEnvironment",
    tag=TAG,
    summary="Order an environment",
    description=f"{WAIT} Its hosts are empty until then.",
    body=Body(
        schema=Named(
            "EnvironmentOrder",
            shape(
                {
                    "name": {"type": "string", "minLength": 1, "maxLength": 128},
                    "package": {"type": "string", "enum": list(PACKAGES)},
                    "region": {"type": "string", "description": f"One of {', '.join(REGIONS)}, in any case."},
                },
                {
                    "description": {"type": "string", "maxLength": 512},
                    "timezone": {"type": "string", "description": "A name of the tz database."},
                },
            ),
        ),
        examples={
            "London": {
                "name": "Production",
                "description": "",
                "package": "SS-A",
                "region": "london",
                "timezone": "Europe/London",
            }
        },
    ),
    answer=answer(ENVIRONMENT, {"Creating": CREATING}, 201),
)
RETRIEVE = Operation(
    name="getEnvironment",
    tag=TAG,
    summary="Read an environment",
    parameters=[ENVIRONMENT_ID],
    errors=[errors.NotFound],
    answer=answer(ENVIRONMENT, {"Without a certificate": MEASURED | {"ssl_certificate": None}}),
)
STATUS = Operation(
    name="getEnvironmentStatus",
    tag=TAG,
    summary="Read the status of an environment",
    description="Also of one that was deleted.",
    parameters=[ENVIRONMENT_ID],
    errors=[errors.NotFound],
    answer=answer(shape({"id": DIGITS, "status": _DESCRIBED["status"]}), {"Ready": {"id": "1", "status": "ready"}}),
)
UPDATE = Operation(
    name="updateEnvironment",
    tag=TAG,
    summary="Change the name, the description or the certificate",
    description=f"Certificates come as files of a form (`multipart/form-data`): `pem_file` with everything in it, or "
    f"`private_key_file` and `certificate_file` with any number of `chain_files`. {WAIT}",
    parameters=[ENVIRONMENT_ID],
    body=Body(
        schema=Named(
            "EnvironmentUpdate",
            shape(
                {},
                {
                    "name": {"type": "string", "minLength": 1, "maxLength": 128},
                    "description": {"type": "string", "maxLength": 512},
                    "delete_certificate": {"type": "string", "enum": ["0", "1"]},
                },
            ),
        ),
        examples={"A new name": {"name": "Production", "description": "What customers use"}},
    ),
    errors=BUSY,
    answer=answer(ENVIRONMENT, {"Updating": MEASURED | {"status": "updating", "ssl_certificate": None}}),
)
UPGRADE = Operation(
    name="upgradeEnvironment",
    tag=TAG,
    summary="Order a larger package, or more storage",
    description=f"With a `package`, `storage` is ignored. {WAIT}",
    parameters=[ENVIRONMENT_ID],
    body=Body(
        schema=Named(
            "EnvironmentUpgrade",
            shape(
                {},
                {
                    "package": {"type": "string", "enum": list(PACKAGES)[1:]},
                    "storage": {"type": "integer", "enum": [ADDON_GIGABYTES], "description": "Gigabytes to add."},
                },
            ),
        ),
        examples={"Package": {"package": "SS-B"}, "Storage": {"storage": ADDON_GIGABYTES}},
    ),
    errors=BUSY,
    answer=answer(ENVIRONMENT, {"Upgrading": EXAMPLE | {"status": "upgrading"}}),
)
UPDATE_VERSION = Operation(
    name="updateEnvironmentVersion",
    tag=TAG,
    summary="Bring an environment to the newest release",
    description=WAIT,
    parameters=[ENVIRONMENT_ID],
    errors=BUSY,
    answer=answer(ENVIRONMENT, {"Upgrading": EXAMPLE | {"status": "upgrading"}}),
)
OPTIMIZE = Operation(
    name="optimizeEnvironment",
    tag=TAG,
    summary="Give back storage that is not needed any more",
    description=WAIT,
    parameters=[ENVIRONMENT_ID],
    errors=BUSY,
    answer=answer(ENVIRONMENT, {"Upgrading": EXAMPLE | {"status": "upgrading"}}),
)
DESTROY = Operation(
    name="deleteEnvironment",
    tag=TAG,
    summary="Delete an environment with everything in it",
    description=WAIT.replace("`ready`", "`deleted`"),
    parameters=[ENVIRONMENT_ID],
    errors=BUSY,
    answer=answer(ENVIRONMENT, {"Deleting": MEASURED | {"status": "deleting", "active": 0}}),
)
