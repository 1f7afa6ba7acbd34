"""Templates of mails and documents, and hosted pages."""

from apps.contents.models import HostedPage, Template, TemplateKind
from apps.environments.definitions.rows import Rows
from apps.environments.definitions.section import COUNT, NAME, TEXT

TEMPLATES = Rows(
    name="templates",
    model=Template,
    key="name",
    fields={"name": NAME, "kind": {"enum": TemplateKind.values}, "subject": TEXT, "text": TEXT, "html": TEXT},
).section()
HOSTED_PAGES = Rows(
    name="hosted_pages",
    model=HostedPage,
    key="name",
    fields={
        "name": NAME,
        "html": TEXT,
        "flow": TEXT,
        "answer": TEXT,
        "trap": TEXT,
        "addresses": TEXT,
        "rate_limit": COUNT,
    },
).section()
