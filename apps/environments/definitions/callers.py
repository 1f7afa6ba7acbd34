"""What calls flows and what flows call: webhooks, URL triggers, schedules, connections.

Copies of a webhook or URL trigger share one secret address, and the host of a request picks the copy.
"""

from apps.core.errors import BadRequest, Detail
from apps.environments.definitions.rows import Rows
from apps.environments.definitions.section import COUNT, FLAG, NAME, TEXT, Target
from apps.flows.connections import keep_secret
from apps.flows.models import ClientAuth, Connection, ConnectionKind, ConnectionSecret
from apps.triggers.cron import CronError
from apps.triggers.entrances import forget_entrances
from apps.triggers.models import Schedule, UrlKind, UrlTrigger
from apps.triggers.schedules import save_schedule
from apps.triggers.url_triggers import save_with_new_secret
from apps.webhooks.models import Webhook
from apps.webhooks.receivers import forget_receivers
from apps.webhooks.services import save_with_new_uri

OPTIONAL = {"type": ["string", "null"]}


def _save_webhook(target: Target, webhook: Webhook, fresh: bool) -> None:
    if fresh:
        uri = save_with_new_uri(webhook)
        target.notes.append(f"The webhook {webhook.name} has the new address /v1/webhook/{uri}; it is not shown again.")
        return
    webhook.save()
    forget_receivers()


def _save_url(target: Target, trigger: UrlTrigger, fresh: bool) -> None:
    if fresh:
        secret = save_with_new_secret(trigger)
        target.notes.append(f"The URL trigger {trigger.name} has the new secret {secret}; it is not shown again.")
        return
    trigger.save()
    forget_entrances()


def _save_schedule(target: Target, schedule: Schedule, fresh: bool) -> None:
    try:
        save_schedule(schedule)
    except CronError as error:  # neither cron nor interval
        raise BadRequest(str(error), details=[Detail("/cron", str(error))]) from None


def _save_connection(target: Target, connection: Connection, fresh: bool) -> None:
    connection.save()
    keep_secret(connection, "")
    if fresh and connection.kind != ConnectionKind.NONE:
        target.notes.append(f"The connection {connection.name} has no secret yet: enter it.")


def _share_secret(connection: Connection, source: Connection) -> None:
    theirs, ours = (ConnectionSecret.objects.filter(connection=row).first() for row in (source, connection))
    if theirs is not None and (ours is None or theirs.secret != ours.secret):
        keep_secret(connection, theirs.secret)


WEBHOOKS = Rows(
    name="webhooks",
    model=Webhook,
    key="name",
    fields={
        "name": NAME,
        "active": FLAG,
        "identifier_path": TEXT,
        "status_path": TEXT,
        "batch": FLAG,
        "flow": TEXT,
        "addresses": TEXT,
        "rate_limit": COUNT,
    },
    shared=("uri_hash", "uri_prefix"),
    off="active",
    save=_save_webhook,
).section()
URL_TRIGGERS = Rows(
    name="url_triggers",
    model=UrlTrigger,
    key="name",
    fields={
        "name": NAME,
        "kind": {"enum": UrlKind.values},
        "active": FLAG,
        "application": OPTIONAL,
        "flow": TEXT,
        "batch": FLAG,
        "seconds": COUNT,
        "webhook": TEXT,
        "addresses": TEXT,
        "rate_limit": COUNT,
    },
    shared=("secret_hash", "secret_prefix"),
    off="active",
    save=_save_url,
).section()
SCHEDULES = Rows(
    name="schedules",
    model=Schedule,
    key="name",
    fields={
        "name": NAME,
        "active": FLAG,
        "application": OPTIONAL,
        "flow": TEXT,
        "document": {},
        "cron": TEXT,
        "interval": TEXT,
        "starts_at": OPTIONAL,
        "ends_at": OPTIONAL,
    },
    off="active",
    save=_save_schedule,
).section()
CONNECTIONS = Rows(
    name="connections",
    model=Connection,
    key="name",
    fields={
        "name": NAME,
        "description": TEXT,
        "base_url": TEXT,
        "kind": {"enum": ConnectionKind.values},
        "username": TEXT,
        "header": TEXT,
        "token_url": TEXT,
        "client_id": TEXT,
        "scope": TEXT,
        "client_auth": {"enum": ClientAuth.values},
    },
    save=_save_connection,
    share=_share_secret,
).section()
