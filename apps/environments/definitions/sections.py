"""Every part of a definition, in the order in which they are applied: what is named stands before what names it."""

from apps.environments.definitions.flows import FLOWS
from apps.environments.definitions.schemas import DATA_FIELDS, SCHEMA
from apps.environments.definitions.section import Section
from apps.environments.definitions.stores import KEYSTORES, TABLES
from apps.environments.definitions.templates import TEMPLATES
from apps.environments.definitions.webhooks import WEBHOOKS

SECTIONS: tuple[Section, ...] = (SCHEMA, DATA_FIELDS, KEYSTORES, TABLES, TEMPLATES, WEBHOOKS, FLOWS)
