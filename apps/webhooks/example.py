"""The line that tries a webhook out."""

import json
import shlex
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from apps.accounts.models import Workspace
from apps.webhooks.models import Webhook


def url_of(webhook: Webhook, uri: str) -> str:
    """Where deliveries to the webhook go: on the host of its workspace, or the installation's own."""
    return f"{base_of(webhook.workspace)}/v1/webhook/{uri}"


def base_of(workspace: Workspace) -> str:
    """Where the API of a workspace is: on its own host, or the installation's."""
    base = urlsplit(settings.PUBLIC_URL)
    if host := workspace.api_host:
        base = base._replace(netloc=f"{host}:{base.port}" if base.port else host)
    return base.geturl()


def curl_line(webhook: Webhook, uri: str) -> str:
    """A command for the shell that delivers a small payload with an identifier and a status where it looks for them."""
    payload: dict[str, Any] = {}
    for path, value in ((webhook.identifier_path, "example-1"), (webhook.status_path, "received")):
        if path:
            _put(payload, path.split("."), value)
    text = json.dumps(payload or {"hello": "webhook"}, ensure_ascii=False)
    url = shlex.quote(url_of(webhook, uri))
    return f"curl -s {url} -H 'Content-Type: application/json' -d {shlex.quote(text)}"


def _put(target: dict[str, Any], parts: list[str], value: str) -> None:
    """Set a value below objects; where a shorter path has left a text, the text stays."""
    *parents, last = parts
    for part in parents:
        target = target.setdefault(part, {})
        if not isinstance(target, dict):
            return
    target.setdefault(last, value)
