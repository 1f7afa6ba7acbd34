"""The page of an application shows where the WSDL is, and a request that works once its key is filled in."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.records.models import Record
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.members import person, signed_in
from tests.soap.messages import post


@pytest.fixture
def viewer(acme: Tenant, rival: Tenant) -> Client:
    return signed_in(person("vic", acme=Role.VIEWER))


def page_of(client: Client, application: Any) -> str:
    response = client.get(f"/admin/applications/application/{application.pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def request_on(page: str) -> str:
    (text,) = re.findall(r'<pre class="flowize-code" x-ref="value">(.*?)</pre>', page, re.DOTALL)
    return html.unescape(text)


def envelope_of(request: str) -> str:
    head, _, rest = request.partition("<<'XML'\n")
    assert head.startswith("curl -s 'https://flowize.example/v1/soap' ")
    return rest.removesuffix("\nXML")


@pytest.fixture(autouse=True)
def _public_url(settings: Any) -> None:
    settings.PUBLIC_URL = "https://flowize.example"


def test_the_wsdl_and_a_request_with_keys(acme: Tenant, viewer: Client) -> None:
    page = page_of(viewer, acme.keys)
    assert '<code x-ref="value">https://flowize.example/v1/soap?wsdl</code>' in page
    assert '<code x-ref="value">https://flowize.example/v1/soap?wsdl=literal</code>' in page
    text = envelope_of(request_on(page))
    assert "YOUR_TOKEN" not in text
    answer = post(text.replace("YOUR_API_KEY", acme.api_key))
    assert answer.members["Code"] == "201"
    row = Record.objects.get()
    assert (row.content.data, row.flow, row.application_id) == ({}, acme.flow, acme.keys.pk)
    assert acme.api_key not in page


def test_a_request_with_a_token(acme: Tenant, viewer: Client) -> None:
    text = envelope_of(request_on(page_of(viewer, acme.oauth)))
    assert "YOUR_API_KEY" not in text
    token = Client().get("/v1/checkauthentication", headers=acme.client_headers).json()["resource"]["access_token"]
    assert post(text.replace("YOUR_TOKEN", token)).members["Code"] == "201"
    assert Record.objects.get().application_id == acme.oauth.pk


def test_names_of_flows_are_written_as_xml_and_html(acme: Tenant, viewer: Client) -> None:
    name = "</Flow><b>&'\""
    publish(acme, STRAIGHT_FLOW, name)
    acme.keys.default_flow = name
    acme.keys.save()
    page = page_of(viewer, acme.keys)
    assert "</Flow><b>" not in page
    post(envelope_of(request_on(page)).replace("YOUR_API_KEY", acme.api_key))
    assert Record.objects.get().flow.name == name


def test_a_project_without_flows(acme: Tenant, viewer: Client) -> None:
    acme.flow.delete()
    assert "<Flow>YOUR_FLOW</Flow>" in request_on(page_of(viewer, acme.keys))


def test_nobody_else_and_no_new_application_sees_one(rival: Tenant, viewer: Client) -> None:
    response = viewer.get(f"/admin/applications/application/{rival.keys.pk}/change/")
    assert b"Ready request" not in response.content
    assert response.status_code == 302
    developer = signed_in(person("dev", acme=Role.DEVELOPER))
    assert "Ready request" not in developer.get("/admin/applications/application/add/").content.decode()
