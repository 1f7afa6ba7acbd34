"""Webhooks; copies in several workspaces share one secret address, and the host of a delivery picks the copy."""

from typing import Any

from apps.environments.definitions.section import COUNT, FLAG, NAME, TEXT, Items, Section, Target, described
from apps.webhooks.models import Webhook
from apps.webhooks.receivers import forget_receivers
from apps.webhooks.services import save_with_new_uri

FIELDS = ("active", "identifier_path", "status_path", "batch", "flow", "addresses", "rate_limit")


def _export(workspace_id: int) -> Items:
    return [dict(row) for row in Webhook.objects.in_workspace(workspace_id).order_by("name").values("name", *FIELDS)]


def _apply(target: Target, items: Items) -> None:
    present = {row.name: row for row in Webhook.objects.in_workspace(target.workspace_id)}
    sources = {row.name: row for row in Webhook.objects.in_workspace(target.source_id)} if target.source_id else {}
    for item in items:
        webhook = present.get(item["name"]) or Webhook(workspace_id=target.workspace_id, name=item["name"])
        for name in FIELDS:
            setattr(webhook, name, item.get(name, getattr(webhook, name)))
        webhook.full_clean(exclude=["workspace", "uri_hash", "uri_prefix"])
        _save(target, webhook, sources.get(item["name"]))
    gone = sorted(present.keys() - {item["name"] for item in items})
    Webhook.objects.in_workspace(target.workspace_id).filter(name__in=gone).update(active=False)
    target.notes += [f"The webhook {name} is no longer part of the project and is switched off." for name in gone]
    forget_receivers()


def _save(target: Target, webhook: Webhook, source: Webhook | None) -> None:
    if source is not None:
        webhook.uri_hash, webhook.uri_prefix = source.uri_hash, source.uri_prefix
        webhook.save()
    elif webhook.pk:
        webhook.save()
    else:
        uri = save_with_new_uri(webhook)
        target.notes.append(f"The webhook {webhook.name} has the new address /v1/webhook/{uri}; it is not shown again.")


_OPTIONAL: dict[str, Any] = {
    "active": FLAG,
    "identifier_path": TEXT,
    "status_path": TEXT,
    "batch": FLAG,
    "flow": TEXT,
    "addresses": TEXT,
    "rate_limit": COUNT,
}
WEBHOOKS = Section(name="webhooks", item_schema=described({"name": NAME}, _OPTIONAL), export=_export, apply=_apply)
