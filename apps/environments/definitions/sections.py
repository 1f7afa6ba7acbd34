"""Every part of a definition, in the order in which they are applied: what is named stands before what names it."""

from apps.environments.definitions.callers import CONNECTIONS, SCHEDULES, URL_TRIGGERS, WEBHOOKS
from apps.environments.definitions.contents import HOSTED_PAGES, TEMPLATES
from apps.environments.definitions.flows import FLOWS
from apps.environments.definitions.schemas import DATA_FIELDS, SCHEMA
from apps.environments.definitions.section import Section
from apps.environments.definitions.stores import KEYSTORES, TABLES

SECTIONS: tuple[Section, ...] = (
    SCHEMA,
    DATA_FIELDS,
    KEYSTORES,
    TABLES,
    TEMPLATES,
    CONNECTIONS,
    WEBHOOKS,
    FLOWS,
    HOSTED_PAGES,
    URL_TRIGGERS,
    SCHEDULES,
)
