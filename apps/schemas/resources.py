"""The data schema as callers read it, whichever way they came."""

import base64

from apps.applications.caller import Caller
from apps.core import dates
from apps.schemas.models import Schema


def schema_resource(caller: Caller, schema: Schema) -> dict[str, str]:
    """The schema as it was sent, with its dates and the project's name."""
    return {
        "url": schema.url,
        "schema": base64.b64encode(schema.source.encode()).decode(),
        **schema_dates(caller, schema),
        "customer": caller.project_name,
    }


def schema_dates(caller: Caller, schema: Schema) -> dict[str, str]:
    """When it was stored and last replaced."""
    return {
        "creation_date": dates.render(schema.date_created, caller.zone),
        "modified_date": dates.render(schema.date_modified, caller.zone),
    }
