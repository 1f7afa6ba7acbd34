"""Who may do what in the admin, proven for every model that is registered."""

import pytest
from django.db.models import Model

from apps.accounts.models import Organization, Project, Role
from apps.applications.models import Application
from apps.contents.models import HostedPage, StaticData, StoredFile, Template, Website, WebsiteFile
from apps.environments.models import Environment, ProjectVersion
from apps.flows.models import Connection, Flow
from apps.keystores.models import Keystore, KeystoreItem
from apps.records.models import Record
from apps.schemas.models import DataField, Schema
from apps.tables.models import Table
from apps.triggers.models import Batch, Schedule, UrlTrigger
from apps.webhooks.models import Webhook, WebhookEvent
from tests.core.stage import REGISTERED, Stage, every_model
from tests.members import person, request_of, signed_in

ACTS = ("view", "add", "change", "delete")
RIGHTS = {
    Organization: {"viewer": "view", "operator": "view", "developer": "view", "owner": "view change"},
    Project: {"viewer": "view", "operator": "view", "developer": "view change", "owner": "view add change delete"},
    Application: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    Schema: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    Keystore: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    KeystoreItem: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    DataField: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    Connection: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    Flow: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    Record: {"viewer": "view", "operator": "view", "developer": "view", "owner": "view"},
    Webhook: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    Table: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    WebhookEvent: {"viewer": "view", "operator": "view", "developer": "view delete", "owner": None},
    UrlTrigger: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    Schedule: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    Batch: {
        "viewer": "view",
        "operator": "view add change delete",
        "developer": "view add change delete",
        "owner": None,
    },
    Website: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    StoredFile: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    HostedPage: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    StaticData: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    Template: {"viewer": "view", "operator": "view", "developer": "view add change delete", "owner": None},
    WebsiteFile: {"viewer": "view", "operator": "view", "developer": "view change delete", "owner": None},
    ProjectVersion: {"viewer": "view", "operator": "view", "developer": "view", "owner": "view"},
    Environment: {"viewer": "view", "operator": "view", "developer": "view", "owner": "view add change"},
}


@every_model
@pytest.mark.parametrize("role", Role.values)
def test_each_role_has_its_rights(stage: Stage, model: type[Model], role: str) -> None:
    request = request_of(person("somebody", acme=Role(role), rival=Role.VIEWER))
    registered = REGISTERED[model]
    allowed = {act for act in ACTS if act != "add" and registered.may(act, request, stage.acme[model])}
    allowed |= {"add"} if registered.has_add_permission(request) else set()
    assert allowed == set((RIGHTS[model][role] or RIGHTS[model]["developer"]).split())


@every_model
def test_a_role_in_one_organization_gives_no_right_in_another(stage: Stage, model: type[Model]) -> None:
    request = request_of(person("both", acme=Role.OWNER, rival=Role.VIEWER))
    registered = REGISTERED[model]
    assert registered.has_view_permission(request, stage.rival[model])
    assert not registered.has_change_permission(request, stage.rival[model])
    assert not registered.has_delete_permission(request, stage.rival[model])


def test_a_viewer_of_another_organization_cannot_add_there(stage: Stage) -> None:
    client = signed_in(person("both", acme=Role.OWNER, rival=Role.VIEWER))
    response = client.post(
        "/admin/accounts/project/add/",
        {"organization": stage.rival[Organization].pk, "name": "mine now", "time_zone": "UTC"}
        | {"retries": 3, "retry_minutes": 5, "max_executions": 100},
    )
    assert response.context["adminform"].form.errors["organization"] == [
        "Select a valid choice. That choice is not one of the available choices."
    ]
    assert not Project.objects.filter(name="mine now").exists()
