"""Two tenants with a row of every model that the admin shows."""

import io
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client

from apps.accounts.models import Organization, Project, Role, User
from apps.applications.models import Application
from apps.contents.models import HostedPage, StaticData, StoredFile, Template, Website, WebsiteFile
from apps.contents.services import store_files
from apps.core.admin.tenancy import TenantModelAdmin
from apps.environments.callers import member_of
from apps.environments.models import Environment, ProjectVersion
from apps.environments.project_versions import note_version
from apps.environments.services import create_environment
from apps.flows.connections import save_connection
from apps.flows.models import Connection, Flow
from apps.keystores.models import Keystore, KeystoreItem
from apps.records.models import Record
from apps.records.services import create_records
from apps.schemas.models import DataField, Schema
from apps.tables.models import Table
from apps.triggers.batches import save_batch
from apps.triggers.models import Batch, Schedule, UrlTrigger
from apps.triggers.schedules import save_schedule
from apps.triggers.url_triggers import register_url
from apps.webhooks.models import Webhook, WebhookEvent
from apps.webhooks.receivers import Receiver
from apps.webhooks.services import register_webhook, store_events
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.contents.conftest import make_website
from tests.tables.conftest import make_table

TENANT_MODELS = [
    Organization,
    Project,
    Application,
    Schema,
    DataField,
    Keystore,
    KeystoreItem,
    Flow,
    Record,
    Webhook,
    WebhookEvent,
    Table,
    Connection,
    UrlTrigger,
    Schedule,
    Batch,
    Website,
    WebsiteFile,
    StoredFile,
    HostedPage,
    StaticData,
    Template,
    Environment,
    ProjectVersion,
]
REGISTERED = {model: row for model, row in admin.site._registry.items() if isinstance(row, TenantModelAdmin)}


@dataclass
class Stage:
    """Both tenants with a row of every model, and a developer-and-owner of Acme alone."""

    acme: dict[type[Model], Any]
    rival: dict[type[Model], Any]
    user: User
    client: Client


def rows_of(tenant: Tenant) -> dict[type[Model], Any]:
    """One row of every model; names, texts and uuids of Rival's hold the word rival."""
    flow = publish(tenant, STRAIGHT_FLOW, f"{tenant.name}-flow")
    uuid = create_records(tenant.caller, [{"owner": tenant.name}], flow_name=flow.name, uuid=f"{tenant.name}-record")
    schema = Schema.objects.create(
        workspace=tenant.workspace, url=f"https://{tenant.name}.test", source="{}", sample="{}"
    )
    webhook = register_webhook(tenant.workspace, name=f"{tenant.name}-webhook", identifier_path="owner").webhook
    store_events(Receiver.of(webhook), [{"owner": tenant.name}], address="127.0.0.1")
    website = make_website(tenant, f"{tenant.name}-site", {f"{tenant.name}.txt": b"x"})
    store_files(tenant.workspace, [(f"{tenant.name}.txt", io.BytesIO(b"x"))])
    keystore = Keystore.objects.create(workspace=tenant.workspace, identifier=f"{tenant.name}-keystore")
    schedule = Schedule(
        workspace=tenant.workspace, name=f"{tenant.name}-schedule", interval="1h", document={"owner": tenant.name}
    )
    save_schedule(schedule)
    batch = Batch(workspace=tenant.workspace, name=f"{tenant.name}-batch", application=tenant.keys, flow=flow.name)
    save_batch(batch, b'{"owner": "%s"}' % tenant.name.encode(), f"{tenant.name}.json")
    return {
        UrlTrigger: register_url(tenant.workspace, name=f"{tenant.name}-url", flow=flow.name).trigger,
        Schedule: schedule,
        Batch: batch,
        Organization: tenant.organization,
        Project: tenant.project,
        Application: tenant.keys,
        Schema: schema,
        Keystore: keystore,
        KeystoreItem: KeystoreItem.objects.create(keystore=keystore, key=f"{tenant.name}-key", data='"x"'),
        DataField: DataField.objects.create(
            workspace=tenant.workspace, name=f"{tenant.name}-field", path=f"{tenant.name}.a"
        ),
        Flow: flow,
        Record: Record.objects.get(uuid=uuid[0].uuid),
        Webhook: webhook,
        Table: make_table(tenant, f"{tenant.name} table", note="text"),
        Website: website,
        WebsiteFile: website.files.get(),
        StoredFile: StoredFile.objects.get(workspace=tenant.workspace),
        HostedPage: HostedPage.objects.create(workspace=tenant.workspace, name=f"{tenant.name} page", html="x"),
        Template: Template.objects.create(workspace=tenant.workspace, name=f"{tenant.name} template", text="x"),
        StaticData: StaticData.objects.create(workspace=tenant.workspace, data={f"{tenant.name}-key": 1}),
        WebhookEvent: webhook.events.get(),
        Connection: save_connection(
            tenant.caller, Connection(name=f"{tenant.name}-connection", base_url=f"https://{tenant.name}.test")
        ),
        ProjectVersion: note_version(tenant.project),
        Environment: create_environment(
            member_of(tenant.organization, Role.OWNER),
            name=f"{tenant.name}-environment",
            package="SS-A",
            region="london",
        ),
    }


def path_of(model: type[Model], *parts: Any) -> str:
    """The path of an admin page."""
    return "/".join(["/admin", model._meta.app_label, str(model._meta.model_name), *map(str, parts), ""])


every_model = pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
