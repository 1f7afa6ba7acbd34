"""Projects and addresses of environments in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from apps.core import errors
from apps.core.copy_action import CopyAction
from apps.core.http.openapi.operation import DATE, TEXT, Body, Named, Operation, list_of, shape
from apps.environments.api.openapi import (
    BUSY,
    DIGITS,
    ENVIRONMENT,
    ENVIRONMENT_ID,
    MEASURED,
    PROJECT_ID,
    TAG,
    WAIT,
    answer,
)
from apps.environments.models import MappingType

PROJECT = Named(
    "EnvironmentProject",
    shape(
        {
            "id": DIGITS,
            "name": TEXT,
            "version": {"type": "integer", "minimum": 1},
            "date_created": DATE,
            "date_updated": DATE,
        }
    ),
)
ACTION = {"type": "string", "enum": list(CopyAction), "description": "What happens to rows that are there already."}
YES = {"type": "string", "enum": ["yes", "no"]}


def _selected(key: str) -> Mapping[str, Any]:
    return list_of(shape({key: {"type": "string", "minLength": 1}, "action": ACTION}))


LIST_PROJECTS = Operation(
    name="listEnvironmentProjects",
    tag=TAG,
    summary="List the projects that an environment hosts",
    parameters=[ENVIRONMENT_ID],
    errors=[errors.NotFound],
    answer=answer(
        list_of(PROJECT),
        {
            "One": [
                {
                    "id": "55",
                    "name": "Webshop",
                    "version": 2,
                    "date_created": "2026-11-28 09:10:00",
                    "date_updated": "2026-11-28 10:15:30",
                }
            ]
        },
    ),
)
DEPLOY = Operation(
    name="deployProject",
    tag=TAG,
    summary="Put a project, or a newer version of it, into an environment",
    description="Copies the definition of the project, and of its data what the body selects; records are never "
    f"copied. `all_…` makes the list beside it count for nothing. {WAIT}",
    parameters=[ENVIRONMENT_ID, PROJECT_ID],
    body=Body(
        required=False,
        schema=Named(
            "DeployOptions",
            shape(
                {},
                {
                    "static_data": YES,
                    "file_manager": YES,
                    "source_environment": {
                        "type": "integer",
                        "description": "Copy from this environment instead of the Designer, if its version is newer.",
                    },
                    "all_keystores": ACTION,
                    "all_tables": ACTION,
                    "all_websites": ACTION,
                    "keystores": _selected("keystore_id"),
                    "tables": _selected("name"),
                    "websites": _selected("slug"),
                },
            ),
        ),
        examples={
            "With data": {
                "static_data": "yes",
                "all_keystores": "insert or update",
                "tables": [{"name": "people", "action": "delete and insert"}],
            }
        },
    ),
    errors=[*BUSY, errors.StorageFull],
    answer=answer(ENVIRONMENT, {"Updating": MEASURED | {"status": "updating", "ssl_certificate": None}}),
)
REMOVE_PROJECT = Operation(
    name="removeProject",
    tag=TAG,
    summary="Take a project with all its data out of an environment",
    description=WAIT,
    parameters=[ENVIRONMENT_ID, PROJECT_ID],
    errors=BUSY,
    answer=answer(ENVIRONMENT, {"Updating": MEASURED | {"status": "updating"}}),
)

KIND = {"type": "string", "enum": list(MappingType.values)}
URLS = shape(
    {
        "urls_mapped": list_of(
            Named(
                "MappedUrl",
                shape(
                    {
                        "url": TEXT,
                        "project_id": {"type": "integer"},
                        "name": TEXT,
                        "type": KIND,
                        "date_created": DATE,
                        "date_updated": DATE,
                    }
                ),
            )
        )
    }
)
MAPPED = {
    "urls_mapped": [
        {
            "url": "/shop/",
            "project_id": 55,
            "name": "shop",
            "type": "website",
            "date_created": "2026-11-28 09:20:00",
            "date_updated": "2026-11-28 09:20:00",
        }
    ]
}
ENTRY = {
    "project_id": {"type": "integer", "minimum": 1},
    "url": {"type": "string", "description": "A path; slashes at its ends make no difference.", "minLength": 1},
    "type": KIND,
}
NAME = {"type": "string", "minLength": 1, "description": "The slug of a website, the name of a hosted page."}

LIST_URLS = Operation(
    name="listUrls",
    tag=TAG,
    summary="List the mapped addresses of the html host",
    parameters=[ENVIRONMENT_ID],
    errors=[errors.NotFound],
    answer=answer(URLS, {"One": MAPPED}),
)
MAP_URLS = Operation(
    name="mapUrls",
    tag=TAG,
    summary="Map addresses of the html host",
    description="An address that is mapped already shows what is named from now on. All entries hold, or none. The "
    "answer lists all addresses.",
    parameters=[ENVIRONMENT_ID],
    body=Body(
        schema=list_of(shape({**ENTRY, "name": NAME}), minItems=1),
        examples={"A website": [{"project_id": 55, "url": "/shop", "name": "shop", "type": "website"}]},
    ),
    errors=BUSY,
    answer=answer(URLS, {"One": MAPPED}),
)
UNMAP_URLS = Operation(
    name="unmapUrls",
    tag=TAG,
    summary="Remove mapped addresses",
    description="All entries are removed, or none. The answer lists the addresses that are left.",
    parameters=[ENVIRONMENT_ID],
    body=Body(
        schema=list_of(shape(ENTRY), minItems=1),
        examples={"A website": [{"project_id": 55, "url": "/old/", "type": "website"}]},
    ),
    errors=BUSY,
    answer=answer(URLS, {"One": MAPPED}),
)
