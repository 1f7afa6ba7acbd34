"""Templates of mails and documents."""

from apps.contents.models import Template, TemplateKind
from apps.environments.definitions.section import NAME, TEXT, Items, Section, Target, described

FIELDS = ("name", "kind", "subject", "text", "html")


def _export(workspace_id: int) -> Items:
    return [dict(row) for row in Template.objects.in_workspace(workspace_id).order_by("name").values(*FIELDS)]


def _apply(target: Target, items: Items) -> None:
    rows = Template.objects.in_workspace(target.workspace_id)
    rows.exclude(name__in=[item["name"] for item in items]).delete()
    for item in items:
        values = dict(item)
        Template.objects.update_or_create(workspace_id=target.workspace_id, name=values.pop("name"), defaults=values)


TEMPLATES = Section(
    name="templates",
    item_schema=described({"name": NAME, "kind": {"enum": TemplateKind.values}}, dict.fromkeys(FIELDS[2:], TEXT)),
    export=_export,
    apply=_apply,
)
