"""Building the demonstration organization, or renewing it with fresh credentials."""

import json
import secrets
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.accounts.models import Membership, Organization, Project, Role, User, Workspace
from apps.accounts.services import create_project
from apps.applications import services as applications
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.applications.models import Application
from apps.applications.scopes import SCOPES
from apps.contents.models import HostedPage
from apps.core import tokens
from apps.core.errors import Conflict
from apps.core.jsonio import write_json
from apps.flows import services as flows
from apps.flows.connections import save_connection
from apps.flows.models import Connection, Flow
from apps.keystores.models import Keystore
from apps.schemas.models import Schema
from apps.schemas.services import check_texts
from apps.tables.models import Table
from apps.tables.structure import add_column, create_table
from apps.triggers.models import UrlTrigger
from apps.triggers.url_triggers import save_with_new_secret
from apps.webhooks.models import Webhook
from apps.webhooks.services import save_with_new_uri
from flowize.demo import content
from flowize.demo.models import Echo

LOOPBACK = "127.0.0.0/8\n::1"


@transaction.atomic
def build_demo(name: str, rate_limit: int) -> dict[str, Any]:
    """Create or refresh the organization ``name``; returns its addresses and fresh credentials in the clear.

    Credentials of an earlier call with the same name stop working.
    """
    organization = _demo_organization(name)
    project = organization.projects.filter(name=f"{name} demo").first() or create_project(organization, f"{name} demo")
    workspace = project.workspaces.select_related("project").get(api_host="")
    caller = member_caller(workspace, Role.OWNER)
    flow = _publish_flow(caller, organization)
    _store_schema(workspace)
    _make_keystores(workspace)
    _make_table(caller)
    HostedPage.objects.get_or_create(
        workspace=workspace, name=content.PAGE["name"], defaults={"html": content.PAGE["html"]}
    )
    username, password = _renew_user(organization)
    return {
        "base_url": settings.PUBLIC_URL,
        "admin_url": f"{settings.PUBLIC_URL}/admin/",
        "username": username,
        "password": password,
        "organization_id": str(organization.pk),
        "organization_api_key": applications.rotate_organization_key(organization),
        "project_id": str(project.pk),
        "api_key": applications.rotate_project_key(project),
        "webhook_uri": _renew_webhook(workspace),
        "url_secret": _renew_url(workspace),
        "flow_name": flow.name,
        "flow_id": str(flow.pk),
        **_renew_applications(project, rate_limit),
    }


def _demo_organization(name: str) -> Organization:
    """The demonstration organization of that name; one that people made themselves is left alone."""
    organization, created = Organization.objects.get_or_create(name=name, defaults={"api_key_enabled": True})
    taken = User.objects.filter(username=name).exclude(memberships__organization=organization).exists()
    if taken or not (created or Echo.objects.filter(organization=organization).exists()):
        raise Conflict(f"There is an organization or a person named {name} that is no demonstration: use another name.")
    return organization


def _renew_user(organization: Organization) -> tuple[str, str]:
    user, _ = User.objects.get_or_create(username=organization.name, defaults={"is_staff": True})
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save()
    Membership.objects.get_or_create(organization=organization, user=user, defaults={"role": Role.OWNER})
    return user.username, password


def _renew_webhook(workspace: Workspace) -> str:
    webhook = Webhook.objects.in_workspace(workspace.pk).filter(name=content.WEBHOOK["name"]).first()
    return save_with_new_uri(webhook or Webhook(workspace=workspace, **content.WEBHOOK))


def _renew_url(workspace: Workspace) -> str:
    trigger = UrlTrigger.objects.in_workspace(workspace.pk).filter(name=content.URL["name"]).first()
    return save_with_new_secret(trigger or UrlTrigger(workspace=workspace, **content.URL))


def _renew_applications(project: Project, rate_limit: int) -> dict[str, str]:
    shared = {"addresses": LOOPBACK, "rate_limit": rate_limit, "active": True}
    keys, _ = _renew(
        project, "keys", **shared, oauth2=False, url_keys=True, default_flow=content.FLOW_NAME, scopes=list(SCOPES)
    )
    tokens_application, secret = _renew(project, "oauth", **shared, oauth2=True, scopes=list(SCOPES))
    narrow, _ = _renew(project, "narrow", **shared, oauth2=False, scopes=["record.read"])
    return {
        "app_key": keys.app_key,
        "client_id": tokens_application.client_id,
        "client_secret": secret,
        "narrow_app_key": narrow.app_key,
    }


def _renew(project: Project, suffix: str, **fields: Any) -> tuple[Application, str]:
    name = f"{project.organization.name}-{suffix}"
    application = Application.objects.filter(project=project, name=name).first() or Application(
        project=project, name=name
    )
    for field, value in fields.items():
        setattr(application, field, value)
    if application.pk is None:
        return application, applications.save_with_new_secret(application)
    return application, applications.rotate_client_secret(application)


def _publish_flow(caller: Caller, organization: Organization) -> Flow:
    echo, _ = Echo.objects.get_or_create(organization=organization, defaults={"token": tokens.new_secret()})
    _make_connection(caller)
    document = content.flow_document(f"{settings.PUBLIC_URL}/demo/echo/{echo.token}")
    source = flows.format_source(document)
    flow = Flow.objects.in_workspace(caller.workspace_id).filter(name=content.FLOW_NAME).first()
    flow = flow or flows.create_flow(caller, name=content.FLOW_NAME, description=document["description"])
    if flow.live_version is None or flow.live_version.source != source:
        flows.save_draft(caller, flow, source)
    return flows.change_status(caller, flow, "public")


def _make_connection(caller: Caller) -> None:
    """The echo as a connection; it moves with the installation's address."""
    rows = Connection.objects.in_workspace(caller.workspace_id)
    connection = rows.filter(name=content.CONNECTION_NAME).first() or Connection(name=content.CONNECTION_NAME)
    if connection.base_url != settings.PUBLIC_URL:
        connection.base_url = settings.PUBLIC_URL
        connection.description = "The echo of this demonstration: it answers what it is sent."
        save_connection(caller, connection)


def _store_schema(workspace: Workspace) -> None:
    source, sample = (json.dumps(value, indent=2) for value in (content.SCHEMA, content.SAMPLE))
    check_texts(source, sample)
    schema = Schema.objects.filter(workspace=workspace).first()
    if schema is None:
        Schema.objects.create(workspace=workspace, url="https://example.com/client", source=source, sample=sample)
    elif schema.source != source:
        schema.source, schema.sample, schema.version = source, sample, schema.version + 1
        schema.save()


def _make_keystores(workspace: Workspace) -> None:
    for identifier, kind, structure in content.KEYSTORES:
        defaults = {"kind": kind, "structure": write_json(structure).decode()}
        Keystore.objects.get_or_create(workspace=workspace, identifier=identifier, defaults=defaults)


def _make_table(caller: Caller) -> None:
    if Table.objects.in_workspace(caller.workspace_id).filter(name=content.TABLE_NAME).exists():
        return
    table = create_table(caller, name=content.TABLE_NAME)
    for name, kind in content.TABLE_COLUMNS.items():
        add_column(caller, table, name=name, kind=kind)
