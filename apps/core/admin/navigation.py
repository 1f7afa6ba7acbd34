"""The sidebar: what a person may open, grouped by what they come to do."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

_GROUPS: dict[str, dict[str, str]] = {
    "Run": {"records.record": "inbox", "webhooks.webhookevent": "mark_email_read", "triggers.batch": "upload_file"},
    "Build": {
        "flows.flow": "account_tree",
        "flows.connection": "cable",
        "schemas.schema": "data_object",
        "keystores.keystore": "key",
        "schemas.datafield": "manage_search",
        "tables.table": "table",
        "webhooks.webhook": "webhook",
        "triggers.urltrigger": "link",
        "triggers.schedule": "schedule",
        "applications.application": "apps",
    },
    "Contents": {
        "contents.website": "language",
        "contents.hostedpage": "web",
        "contents.storedfile": "folder_open",
        "contents.template": "mail",
        "contents.staticdata": "data_array",
    },
    "Manage": {
        "environments.environment": "cloud",
        "environments.projectversion": "inventory_2",
        "accounts.project": "folder",
        "accounts.organization": "apartment",
        "accounts.user": "group",
    },
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar, each with the lists the person may open."""
    allowed = {
        model["model"]._meta.label_lower: model
        for app in admin.site.get_app_list(request)
        for model in app["models"]
        if model["admin_url"]
    }
    overview = {"title": "Overview", "icon": "space_dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [overview]}]
    for title, icons in _GROUPS.items():
        items = [
            {"title": allowed[label]["name"], "icon": icon, "link": allowed[label]["admin_url"]}
            for label, icon in icons.items()
            if label in allowed
        ]
        if title == "Run" and "records.record" in allowed:
            items.insert(0, _queue(request, items))
        if items:
            groups.append({"title": title, "items": items})
    return groups


def _queue(request: HttpRequest, items: list[dict[str, Any]]) -> dict[str, Any]:
    """The queue; its path begins as that of the list of records does, which is not the page that is open then."""
    link = reverse("admin:records_record_queue")
    is_open = request.path.startswith(link)
    for item in items:
        item["active"] = request.path.startswith(item["link"]) and not is_open
    return {"title": "Queue", "icon": "monitoring", "link": link, "active": is_open}
