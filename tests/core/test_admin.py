"""Tenancy of the admin, proven for every model that is registered."""

from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import connection
from django.db.models import ForeignKey, ManyToManyField, Model
from django.forms import ModelChoiceField
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Role, User
from apps.applications.models import Application
from apps.core.admin.access import LADDER, Access, access_of
from apps.core.admin.tenancy import SuperuserModelAdmin, TenantModelAdmin
from apps.flows.models import Flow
from tests.conftest import build_tenant
from tests.core.stage import REGISTERED, TENANT_MODELS, Stage, every_model, path_of, rows_of
from tests.members import person, request_of, signed_in, superuser


def test_only_admins_that_keep_tenants_apart_are_registered() -> None:
    others = {model for model, row in admin.site._registry.items() if isinstance(row, SuperuserModelAdmin)}
    assert set(REGISTERED) == set(TENANT_MODELS)
    assert others == {User}
    assert set(admin.site._registry) == set(TENANT_MODELS) | {User}


def test_the_ladder_holds_the_roles_in_their_order() -> None:
    assert [*reversed(Role.values), "superuser"] == list(LADDER)


def test_a_tenant_admin_refuses_raw_id_fields() -> None:
    leaky = type("Leaky", (TenantModelAdmin,), {"organization_path": "project", "raw_id_fields": ("project",)})
    with pytest.raises(ImproperlyConfigured, match="autocomplete_fields"):
        leaky(Application, admin.site)


@every_model
def test_the_list_holds_own_rows_only(stage: Stage, model: type[Model]) -> None:
    response = stage.client.get(path_of(model))
    listed = set(response.context["cl"].result_list)
    assert response.status_code == 200
    assert stage.acme[model] in listed
    assert stage.rival[model] not in listed
    assert "rival" not in response.content.decode()


@every_model
@pytest.mark.parametrize("page", ["change", "history", "delete"])
def test_pages_of_a_foreign_row_are_those_of_a_missing_one(stage: Stage, model: type[Model], page: str) -> None:
    foreign = stage.client.get(path_of(model, stage.rival[model].pk, page))
    missing = stage.client.get(path_of(model, 987654321, page))
    assert (foreign.status_code, foreign.get("Location")) == (missing.status_code, missing.get("Location"))
    assert (foreign.status_code, foreign.get("Location")) in ((302, "/admin/"), (403, None))
    assert "rival" not in foreign.content.decode()


@every_model
@pytest.mark.parametrize("page", ["change", "delete"])
def test_posting_to_a_foreign_row_changes_nothing(stage: Stage, model: type[Model], page: str) -> None:
    row = stage.rival[model]
    before = model._default_manager.filter(pk=row.pk).values().get()
    stage.client.post(path_of(model, row.pk, page), {"post": "yes", "name": "taken over", "description": "x"})
    assert model._default_manager.filter(pk=row.pk).values().get() == before


@every_model
def test_forms_offer_and_accept_no_foreign_row(stage: Stage, model: type[Model]) -> None:
    form = REGISTERED[model].get_form(request_of(stage.user))()
    for field in form.fields.values():
        if isinstance(field, ModelChoiceField):
            target = _target_of(stage.rival, field.queryset.model)
            assert target not in field.queryset
            with pytest.raises(ValidationError):
                field.clean(target.pk)
    if REGISTERED[model].has_add_permission(request_of(stage.user)):
        assert "rival" not in stage.client.get(path_of(model, "add")).content.decode()


def test_pages_ask_as_few_questions_however_many_tenants_there_are(stage: Stage) -> None:
    client = signed_in(superuser())
    pages = [path_of(model) for model in TENANT_MODELS]
    pages += [add for add in map("{}add/".format, pages) if client.get(add).status_code == 200]
    pages += [path_of(model, row.pk, "change") for model, row in stage.acme.items()]
    assert [page for page in pages if client.get(page).status_code != 200] == []  # and caches are filled
    before = {page: _questions_of(client, page) for page in pages}
    for name in ("third", "fourth"):
        rows_of(build_tenant(name))
    assert {page: _questions_of(client, page) for page in pages} == before


def _questions_of(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        client.get(page)
    return len(asked)


def _target_of(rows: dict[type[Model], Any], model: type[Model]) -> Any:
    return rows[model] if model in rows else rows[Flow].workspace


@every_model
def test_filters_and_choices_of_every_relation_are_scoped(stage: Stage, model: type[Model]) -> None:
    request = request_of(stage.user)
    for field in model._meta.get_fields():
        if isinstance(field, ForeignKey | ManyToManyField):
            for act in ("view", "add", "change"):
                offered = REGISTERED[model].choices_for(field, request, act)
                assert not offered.filter(pk__in=[_foreign(stage.rival, field.related_model)]).exists()


def _foreign(rows: dict[type[Model], Any], model: Any) -> Any:
    if model in rows:
        return rows[model].pk
    return {"Workspace": rows[Flow].workspace_id, "FlowVersion": rows[Flow].live_version_id}.get(model.__name__, -1)


@every_model
def test_autocomplete_never_names_a_foreign_row(stage: Stage, model: type[Model]) -> None:
    for field in model._meta.get_fields():
        if isinstance(field, ForeignKey):
            query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name}
            response = stage.client.get("/admin/autocomplete/", {**query, "term": "r"})
            assert response.status_code in (200, 403)
            assert "rival" not in response.content.decode()


@every_model
def test_actions_leave_foreign_rows_alone(stage: Stage, model: type[Model]) -> None:
    row = stage.rival[model]
    for action in (*REGISTERED[model].get_actions(request_of(stage.user)), "delete_selected"):
        chosen = {"action": action, "_selected_action": [row.pk], "post": "yes", "select_across": "0"}
        stage.client.post(path_of(model), chosen)
    assert model._default_manager.filter(pk=row.pk).exists()


@every_model
@pytest.mark.parametrize(
    "rest",
    [
        *("replace-key", "replace-secret", "replace-address", "replay", "status/inactive", "versions/1"),
        *("rows", "rows/add", "rows/1", "rows/1/remove", "import", "import/1", "export", "build-again"),
    ],
)
def test_own_pages_of_a_foreign_row_are_missing(stage: Stage, model: type[Model], rest: str) -> None:
    row = stage.rival[model]
    before = model._default_manager.filter(pk=row.pk).values().get()
    response = stage.client.post(path_of(model, row.pk, rest))
    assert response.status_code in (302, 404)
    assert model._default_manager.filter(pk=row.pk).values().get() == before


@every_model
@pytest.mark.parametrize(
    "query",
    [
        "name__regex=(",
        "uuid__regex=(",
        "id__lt=9223372036854775808",
        "project__api_key_hash__startswith=a",
        "workspace__project__organization__name__startswith=r",
        "nothing__at__all=1",
    ],
)
def test_lookups_the_list_does_not_offer_are_refused(stage: Stage, model: type[Model], query: str) -> None:
    assert stage.client.get(f"{path_of(model)}?{query}").status_code == 400


@every_model
@pytest.mark.parametrize(
    "query", ["status__exact=x", "q=%00", "flow__id__exact=abc", "p=99999999999999999999", "o=99.x", "e=1", "all="]
)
def test_parameters_that_cannot_be_read_are_no_server_error(stage: Stage, model: type[Model], query: str) -> None:
    assert stage.client.get(f"{path_of(model)}?{query}").status_code in (200, 302, 400)


@pytest.mark.parametrize("key", ["abc", "99999999999999999999999", "1%00", "..%2F1", "_5F"])
def test_row_ids_that_are_none_are_missing(stage: Stage, key: str) -> None:
    assert stage.client.get(f"/admin/flows/flow/{key}/change/").status_code in (302, 404)


@every_model
def test_nobody_without_a_membership_sees_a_list(stage: Stage, model: type[Model]) -> None:
    assert signed_in(person("stray")).get(path_of(model)).status_code == 403


@every_model
def test_superusers_see_every_tenant(stage: Stage, model: type[Model]) -> None:
    listed = set(signed_in(superuser()).get(path_of(model)).context["cl"].result_list)
    assert {stage.acme[model], stage.rival[model]} <= listed


def test_access_ends_with_the_account() -> None:
    gone = User(username="gone", is_active=False, is_staff=True, is_superuser=True)
    assert access_of(request_of(gone)) == Access(everything=False, roles={})


def test_the_public_page_redirect_is_gone(stage: Stage) -> None:
    assert stage.client.get(f"/admin/r/1/{stage.rival[Flow].pk}/").status_code == 404


def test_the_search_box_survives_a_page_that_is_none(stage: Stage) -> None:
    assert stage.client.get("/admin/search/?s=flow&page=abc").status_code == 404
    assert "Flows" in stage.client.get("/admin/search/?s=flow").content.decode()


def test_the_overview_greets_people_who_belong_nowhere(stage: Stage) -> None:
    page = signed_in(person("stray")).get("/admin/").content.decode()
    assert "You are not a member of an organization yet" in page
    assert "Projects" not in page
    assert "acme" not in page


def test_the_sidebar_holds_what_a_person_may_open(stage: Stage) -> None:
    groups = stage.client.get("/admin/").context["sidebar_navigation"]
    assert [item["title"] for group in groups for item in group["items"]] == [
        "Overview",
        "Queue",
        "Records",
        "Webhook events",
        "Batches",
        "Flows",
        "Connections",
        "Schemas",
        "Keystores",
        "Data fields",
        "Tables",
        "Webhooks",
        "URL triggers",
        "Schedules",
        "Applications",
        "Websites",
        "Hosted pages",
        "Files",
        "Templates",
        "Static data",
        "Environments",
        "Project versions",
        "Projects",
        "Organizations",
    ]


def test_pages_of_the_admin_hold_no_script_of_their_own(stage: Stage) -> None:
    for model in TENANT_MODELS:
        page = stage.client.get(path_of(model, stage.acme[model].pk, "change"))
        assert page.status_code == 200
        assert "<script>" not in page.content.decode()
        assert "onclick=" not in page.content.decode()


@pytest.mark.parametrize("act", ["status/paused", "delete"])
def test_acts_need_the_token_of_a_form(stage: Stage, act: str) -> None:
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(stage.user, backend="django.contrib.auth.backends.ModelBackend")
    assert forged.post(path_of(Flow, stage.acme[Flow].pk, act), {"post": "yes"}).status_code == 403
    assert Flow.objects.get(pk=stage.acme[Flow].pk).status == "running"
