"""What flows read of their workspace."""

from datetime import timedelta
from typing import Any

import pytest

from apps.contents.models import StaticData
from apps.keystores.content import Document
from apps.keystores.models import Keystore, KeystoreItem, Kind
from apps.keystores.services import put_item
from apps.records.execution import drain
from apps.records.hosts import host_of
from apps.records.models import Record, Status
from tests.conftest import Tenant, publish
from tests.records.conftest import flow_of, insert

pytestmark = pytest.mark.django_db


def kept(tenant: Tenant, keystore: str, key: str, value: Any) -> None:
    Keystore.objects.get_or_create(workspace=tenant.workspace, identifier=keystore)
    put_item(tenant.caller, keystore, key, Document(value))


def test_keys_are_read_and_never_made(acme: Tenant, rival: Tenant) -> None:
    kept(acme, "users", "ada", {"age": 36, "big": 1e300})
    kept(rival, "theirs", "ada", {"secret": 1})
    host = host_of(acme.workspace.pk, timedelta(0))
    assert host.keystore("users", "ada") == {"age": 36, "big": 1e300}
    for keystore, key in [("users", "bob"), ("theirs", "ada"), ("no such", "ada"), ("users", ""), ("users", "a\0b")]:
        assert host.keystore(keystore, key) is None
    assert KeystoreItem.objects.count() == 2


def test_a_raw_keystore_gives_its_text(acme: Tenant) -> None:
    Keystore.objects.create(workspace=acme.workspace, identifier="texts", kind=Kind.RAW)
    put_item(acme.caller, "texts", "hello", Document("Hello!"))
    assert host_of(acme.workspace.pk, timedelta(0)).keystore("texts", "hello") == "Hello!"


def test_static_data_is_that_of_the_workspace_at_this_moment(acme: Tenant, rival: Tenant) -> None:
    host = host_of(acme.workspace.pk, timedelta(0))
    StaticData.objects.create(workspace=rival.workspace, data={"vat": 19})
    assert host.static() == {}
    static = StaticData.objects.create(workspace=acme.workspace, data={"vat": 21})
    assert host.static() == {"vat": 21}
    static.data = {"vat": 22}
    static.save()
    assert host.static() == {"vat": 22}


def test_a_flow_uses_both(acme: Tenant) -> None:
    kept(acme, "users", "ada", {"address": {"city": "Utrecht"}})
    StaticData.objects.create(workspace=acme.workspace, data={"vat": 21})
    use = {
        "type": "set",
        "set": {
            "city": "{{ keystore.users[who].address.city }}",
            "line": "@static.vat@ % in @keystore.users.ada.address.city@",
        },
        "next": {"ok": "end"},
    }
    publish(acme, flow_of("using", use=use))
    record = insert(acme, {"who": "ada"}, "using")
    drain()
    found = Record.objects.select_related("content").get(pk=record.pk)
    assert (found.status, found.content.data) == (
        Status.FINISHED,
        {"who": "ada", "city": "Utrecht", "line": "21 % in Utrecht"},
    )
