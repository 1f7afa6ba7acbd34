"""The pages of keystores and their keys."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Role
from apps.core.admin import paginator
from apps.keystores.models import Keystore, KeystoreItem
from tests.conftest import Tenant
from tests.keystores.conftest import LONDON, STRUCTURE, fill, make_keystore, stored
from tests.members import person, signed_in, superuser

STORES, KEYS = "/admin/keystores/keystore/", "/admin/keystores/keystoreitem/"


@pytest.fixture
def developer(acme: Tenant) -> Client:
    """A developer of Acme."""
    return signed_in(person("dev", acme=Role.DEVELOPER))


@pytest.fixture
def viewer(acme: Tenant) -> Client:
    """Somebody of Acme who may only look."""
    return signed_in(person("vi", acme=Role.VIEWER))


def make(client: Client, tenant: Tenant, **changed: Any) -> Any:
    """Send the form of a new keystore."""
    form = {
        "workspace": tenant.workspace.pk,
        "identifier": "weather",
        "kind": "json",
        "description": "",
        "structure": "",
    }
    return client.post(f"{STORES}add/", form | changed)


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def change(client: Client, item: KeystoreItem, content: str, basis: str | None = None) -> Any:
    """Send the form of a key with another text."""
    shown = str(item.version) if basis is None else basis
    return client.post(f"{KEYS}{item.pk}/change/", {"content": content, "basis": shown})


def test_a_keystore_is_made_with_its_structure(acme: Tenant, developer: Client) -> None:
    assert make(developer, acme, structure='{\r\n "b": 1.0,\r\n "a": "é"}').status_code == 302
    row = Keystore.objects.get()
    assert (row.workspace, row.identifier, row.kind, row.structure) == (
        acme.workspace,
        "weather",
        "json",
        '{"b":1.0,"a":"é"}',
    )
    assert make(developer, acme, identifier="notes", kind="raw", structure=" Dear\r\n").status_code == 302
    assert json.loads(Keystore.objects.get(identifier="notes").structure) == " Dear\n"


def test_without_a_structure(acme: Tenant, developer: Client) -> None:
    make(developer, acme)
    make(developer, acme, identifier="notes", kind="raw")
    assert list(Keystore.objects.values_list("structure", flat=True)) == ['""', "{}"]


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        (
            {"structure": "{"},
            "structure",
            "Not valid JSON: Expecting property name enclosed in double quotes at line 1, column 2.",
        ),
        ({"structure": '{"a": NaN}'}, "structure", "/a: NaN is no JSON number."),
        ({"identifier": ""}, "identifier", "This field is required."),
        ({"identifier": "a.b"}, "identifier", "Use letters, digits, _ and -."),
        ({"identifier": "a\n"}, None, ""),
        ({"identifier": "-a"}, "identifier", "Use letters, digits, _ and -."),
        ({"identifier": "a" * 65}, "identifier", "Ensure this value has at most 64 characters (it has 65)."),
        ({"kind": "xml"}, "kind", "Select a valid choice. xml is not one of the available choices."),
    ],
)
def test_a_fault_is_told_at_its_field(
    acme: Tenant, developer: Client, changed: Any, field: str | None, message: str
) -> None:
    response = make(developer, acme, **changed)
    if field is None:  # the blank is taken off
        assert Keystore.objects.get().identifier == "a"
    else:
        assert errors(response)[field][0] == message
        assert not Keystore.objects.exists()


def test_an_identifier_is_taken_once_in_a_workspace(acme: Tenant, rival: Tenant, developer: Client) -> None:
    make_keystore(rival)
    assert make(developer, acme).status_code == 302
    assert make(developer, acme).status_code == 200
    assert Keystore.objects.filter(workspace=acme.workspace).count() == 1


def test_kind_and_identifier_stay(acme: Tenant, developer: Client, weather: Keystore) -> None:
    page = developer.get(f"{STORES}{weather.pk}/change/").content.decode()
    assert "No keys yet" in page
    assert "&quot;temp&quot;: null" in page
    form = {"identifier": "other", "kind": "raw", "description": "Cities", "structure": "[]"}
    assert developer.post(f"{STORES}{weather.pk}/change/", form).status_code == 302
    weather.refresh_from_db()
    assert (weather.identifier, weather.kind, weather.description, weather.structure) == (
        "weather",
        "json",
        "Cities",
        "[]",
    )
    response = developer.post(f"{STORES}{weather.pk}/change/", form | {"structure": "text"})
    assert list(errors(response)) == ["structure"]


def test_removing_a_keystore_takes_its_keys_along(developer: Client, weather: Keystore, notes: Keystore) -> None:
    fill(weather, a=1, b=2)
    fill(notes, a="x")
    page = developer.get(f"{STORES}{weather.pk}/delete/").content.decode()
    assert "weather" in page
    with CaptureQueriesContext(connection) as captured:
        assert developer.post(f"{STORES}{weather.pk}/delete/", {"post": "yes"}).status_code == 302
    removed = [query["sql"] for query in captured if 'DELETE FROM "keystores_keystoreitem"' in query["sql"]]
    assert len(removed) == 1
    reads = [
        query["sql"]
        for query in captured
        if 'FROM "keystores_keystoreitem"' in query["sql"] and "SELECT" in query["sql"]
    ]
    assert all("LIMIT" in statement for statement in reads if statement not in removed)
    assert list(Keystore.objects.all()) == [notes]
    assert KeystoreItem.objects.count() == 1


def test_a_key_is_added_with_the_structure_at_hand(developer: Client, weather: Keystore) -> None:
    page = developer.get(f"{KEYS}add/?keystore={weather.pk}").content.decode()
    assert "&quot;temp&quot;: null" in page
    form = {"keystore": weather.pk, "key": "london", "content": json.dumps(LONDON, indent=2), "basis": ""}
    assert developer.post(f"{KEYS}add/", form).status_code == 302
    assert stored(weather) == {"london": LONDON}
    assert KeystoreItem.objects.get().data == '{"temp":15,"wind":"2 km/h S","city":"London"}'
    assert developer.post(f"{KEYS}add/", form).status_code == 200
    assert stored(weather) == {"london": LONDON}


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"content": "{"}, "content"), ({"key": "a/b"}, "key"), ({"key": ""}, "key"), ({"key": ".."}, "key")],
)
def test_a_key_with_a_fault_is_not_added(developer: Client, weather: Keystore, changed: Any, field: str) -> None:
    form = {"keystore": weather.pk, "key": "k", "content": "{}", "basis": ""}
    assert list(errors(developer.post(f"{KEYS}add/", form | changed))) == [field]
    assert stored(weather) == {}


@pytest.mark.parametrize("chosen", ["", "x", "-1", "9" * 30, "%00"])
def test_a_keystore_that_is_none(developer: Client, weather: Keystore, chosen: str) -> None:
    assert developer.get(f"{KEYS}add/?keystore={chosen}").status_code == 200


def test_a_value_is_read_and_changed(developer: Client, weather: Keystore) -> None:
    fill(weather, london=LONDON)
    item = weather.items.get()
    page = developer.get(f"{KEYS}{item.pk}/change/").content.decode()
    assert "&quot;wind&quot;: &quot;2 km/h S&quot;" in page
    assert change(developer, item, '{"temp":\r\n 16}').status_code == 302
    assert stored(weather) == {"london": {"temp": 16}}
    assert weather.items.get().version == 2


def test_nobody_overwrites_what_they_have_not_seen(developer: Client, weather: Keystore) -> None:
    fill(weather, london=LONDON)
    item = weather.items.get()
    change(developer, item, "1")
    response = change(developer, item, "2")
    assert errors(response) == {
        "content": ["Somebody has changed the value since you opened this page: reload it first."]
    }
    assert stored(weather) == {"london": 1}


def test_saving_an_unchanged_text_changes_nothing(developer: Client, weather: Keystore, notes: Keystore) -> None:
    fill(weather, london=LONDON)
    fill(notes, k="a\r\nb\n")
    for item, text in ((weather.items.get(), json.dumps(LONDON, indent=2)), (notes.items.get(), "a\r\nb\r\n")):
        before = KeystoreItem.objects.filter(pk=item.pk).values().get()
        assert change(developer, item, text).status_code == 302
        assert KeystoreItem.objects.filter(pk=item.pk).values().get() == before


def test_a_fault_in_a_value_is_told(developer: Client, weather: Keystore, notes: Keystore) -> None:
    fill(weather, london=LONDON)
    fill(notes, k="old")
    assert list(errors(change(developer, weather.items.get(), "{"))) == ["content"]
    assert change(developer, notes.items.get(), "{").status_code == 302
    assert (stored(weather), stored(notes)) == ({"london": LONDON}, {"k": "{"})


def test_readers_see_values_and_cannot_change_them(viewer: Client, weather: Keystore) -> None:
    fill(weather, london={"html": "<script>alert(1)</script>"})
    item = weather.items.get()
    page = viewer.get(f"{KEYS}{item.pk}/change/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<textarea" not in page
    assert change(viewer, item, "1").status_code == 403
    assert viewer.post(f"{STORES}{weather.pk}/change/", {"structure": "1"}).status_code == 403
    assert "temp&quot;: null" in viewer.get(f"{STORES}{weather.pk}/change/").content.decode()
    assert viewer.post(f"{KEYS}{item.pk}/delete/", {"post": "yes"}).status_code == 403
    assert stored(weather) == {"london": {"html": "<script>alert(1)</script>"}}


def test_a_very_long_value_is_shown_in_part(developer: Client, notes: Keystore) -> None:
    fill(notes, long="x" * 300_000)
    item = notes.items.get()
    page = developer.get(f"{KEYS}{item.pk}/change/").content.decode()
    assert "change a value as long as this through the API" in page
    assert len(page) < 250_000
    change(developer, item, "short")
    assert stored(notes) == {"long": "x" * 300_000}


def listed(client: Client, query: str) -> list[str]:
    return [row.key for row in client.get(f"{KEYS}?{query}").context["cl"].result_list]


def test_keys_are_browsed_in_order_and_found_by_how_they_begin(
    developer: Client, weather: Keystore, notes: Keystore
) -> None:
    fill(weather, **dict.fromkeys(["b", "London", "lon%", "a", "Zoë"], 1))
    fill(notes, london="x")
    chosen = f"keystore__id__exact={weather.pk}"
    assert listed(developer, chosen) == ["London", "Zoë", "a", "b", "lon%"]
    assert listed(developer, f"{chosen}&q=LON") == ["London", "lon%"]
    assert listed(developer, f"{chosen}&q=lon%25") == ["lon%"]
    assert listed(developer, "q=london") == ["london", "London"]
    assert listed(signed_in(superuser()), "q=zoë") == ["Zoë"]
    assert listed(developer, f"{chosen}&q=nothing") == []


def test_the_browser_reads_one_page_and_no_values(developer: Client, weather: Keystore, monkeypatch: Any) -> None:
    monkeypatch.setattr(paginator, "MOST_COUNTED", 100)
    fill(weather, **{f"k{number:03}": 1 for number in range(120)})
    with CaptureQueriesContext(connection) as captured:
        response = developer.get(f"{KEYS}?keystore__id__exact={weather.pk}&p=2")
    assert [row.key for row in response.context["cl"].result_list] == [f"k{number:03}" for number in range(50, 100)]
    assert "the first 100 of these keys" in response.content.decode()
    assert not any('"data"' in query["sql"] for query in captured)


def test_a_keystores_page_leads_to_its_keys(developer: Client, viewer: Client, weather: Keystore) -> None:
    fill(weather, a=1, b=2)
    page = developer.get(f"{STORES}{weather.pk}/change/").content.decode()
    assert "2 keys" in page
    assert f"{KEYS}?keystore__id__exact={weather.pk}" in page
    assert f"{KEYS}add/?keystore={weather.pk}" in page
    assert f"{KEYS}add/" not in viewer.get(f"{STORES}{weather.pk}/change/").content.decode()
    assert stored(weather) == {"a": 1, "b": 2}
    assert json.loads(weather.structure) == STRUCTURE


def test_a_foreign_keystore_is_no_choice(developer: Client, acme: Tenant, rival: Tenant) -> None:
    foreign = make_keystore(rival)
    page = developer.get(f"{KEYS}add/?keystore={foreign.pk}").content.decode()
    assert "&quot;temp&quot;" not in page
    form = {"keystore": foreign.pk, "key": "k", "content": "1", "basis": ""}
    assert list(errors(developer.post(f"{KEYS}add/", form))) == ["keystore"]
    assert stored(foreign) == {}
