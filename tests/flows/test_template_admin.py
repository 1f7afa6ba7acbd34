"""The pages of templates and their preview."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.contents.models import StaticData, Template, TemplateKind
from tests.conftest import Tenant
from tests.members import person, signed_in

ROOT = "/admin/contents/template"


@pytest.fixture
def developer(acme: Tenant) -> Client:
    return signed_in(person("dev", acme=Role.DEVELOPER))


@pytest.fixture
def template(acme: Tenant) -> Template:
    return Template.objects.create(
        workspace=acme.workspace,
        name="welcome",
        subject="Hello {{ client.name }}",
        text="{{ static.company }} greets {{ client.name }}.",
        html="<p>Hello {{ client.name }}</p>",
    )


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def test_a_template_is_written(acme: Tenant, developer: Client) -> None:
    form = {"workspace": acme.workspace.pk, "name": "welcome", "kind": "email", "subject": "Hi", "html": ""}
    assert developer.post(f"{ROOT}/add/", form | {"text": "a\r\n{{ b }}"}).status_code == 302
    assert Template.objects.get().text == "a\n{{ b }}"


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"subject": "{{ a"}, {"subject"}),
        ({"text": "{{ open('x') }}"}, {"text"}),
        ({"html": "{{ 1 + }}"}, {"html"}),
        ({"subject": ""}, {"subject"}),
        ({"text": "", "html": ""}, {"text"}),
        ({"name": ""}, {"name"}),
    ],
)
def test_what_cannot_be_compiled_is_not_kept(
    acme: Tenant, developer: Client, changed: dict[str, str], fields: set[str]
) -> None:
    form = {
        "workspace": acme.workspace.pk,
        "name": "welcome",
        "kind": "email",
        "subject": "Hi",
        "text": "x",
        "html": "",
    }
    assert errors(developer.post(f"{ROOT}/add/", form | changed)).keys() == fields
    assert Template.objects.count() == 0


def test_a_document_needs_no_subject(acme: Tenant, developer: Client) -> None:
    form = {"workspace": acme.workspace.pk, "name": "bill", "kind": "document", "subject": "", "text": "x", "html": ""}
    assert developer.post(f"{ROOT}/add/", form).status_code == 302
    assert Template.objects.get().kind == TemplateKind.DOCUMENT


def test_a_preview_is_what_a_flow_would_make(acme: Tenant, developer: Client, template: Template) -> None:
    StaticData.objects.create(workspace=acme.workspace, data={"company": "Acme"})

    page = developer.post(f"{ROOT}/{template.pk}/preview/", {"sample": '{"client": {"name": "Ada <b>"}}'})

    assert page.context["rendered"] == {
        "subject": "Hello Ada <b>",
        "text": "Acme greets Ada <b>.",
        "html": "<p>Hello Ada &lt;b&gt;</p>",
    }
    content = page.content.decode()
    assert "Hello Ada &lt;b&gt;" in content
    assert 'srcdoc="&lt;p&gt;Hello Ada &amp;lt;b&amp;gt;&lt;/p&gt;"' in content
    assert "<iframe" in content
    assert " sandbox " in content


def test_a_preview_says_what_is_wrong(developer: Client, template: Template) -> None:
    path = f"{ROOT}/{template.pk}/preview/"
    assert "sample" in developer.post(path, {"sample": "{"}).context["form"].errors
    assert "rendered" not in developer.post(path, {"sample": "{"}).context
    Template.objects.update(text="{{ client.name + 1 }}")
    assert "problem" in developer.post(path, {"sample": '{"client": {"name": "x"}}'}).context


def test_a_preview_stores_nothing_and_begins_with_an_empty_document(developer: Client, template: Template) -> None:
    before = Template.objects.values().get()
    page = developer.get(f"{ROOT}/{template.pk}/preview/")
    assert page.context["rendered"]["subject"] == "Hello "
    assert Template.objects.values().get() == before


def test_strangers_see_no_preview(rival: Tenant, template: Template) -> None:
    stranger = signed_in(person("stranger", rival=Role.OWNER))
    assert stranger.post(f"{ROOT}/{template.pk}/preview/", {"sample": "{}"}).status_code == 404
    viewer = signed_in(person("vi", acme=Role.VIEWER))
    assert viewer.post(f"{ROOT}/{template.pk}/preview/", {"sample": "{}"}).status_code == 200
