"""Nothing that was issued in confidence is ever said by a process."""

import pytest

from flowize.demo.content import SAMPLE
from tests.server.installation import Installation, client_headers, key_headers, secrets_of
from tests.server.wire import Wire, request

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]


def speak_of_everything(shipped: Installation) -> None:
    """Requests that hold each secret, well-formed and malformed, accepted and refused."""
    acme = shipped.acme
    keys = f"api_key={acme['api_key']}&app_key={acme['app_key']}"
    bearer = {"Authorization": f"Bearer {shipped.token(acme)}"}
    shipped.call("GET", f"/v1/record/none?{keys}")
    shipped.call("POST", f"/v1/record?{keys}", body=SAMPLE | {"unfit": acme["password"]})
    shipped.call("GET", f"/v1/nothing/{acme['api_key']}?{keys}", key_headers(acme))
    shipped.call("DELETE", "/v1/record", key_headers(acme) | bearer)
    shipped.call("GET", "/v1/checkauthentication", client_headers(acme) | {"grant_type": acme["client_secret"]})
    shipped.call("GET", "/v1/record/none", {"X-Apikey": acme["organization_api_key"], "X-App": acme["client_secret"]})
    shipped.call("POST", "/admin/login/", body={"username": acme["username"], "password": acme["password"]})
    with Wire(shipped.port) as wire:
        wire.send(request("GET", f"/v1/record/x?{keys}", client_headers(acme) | {"X-A": "a\x00b"}))
        wire.answer()


def speak_without_a_database(shipped: Installation) -> None:
    """The same while every request fails."""
    shipped.database.allow_connections(False)
    try:
        shipped.database.end_connections()
        shipped.call("GET", f"/v1/record/none?api_key={shipped.acme['api_key']}&app_key={shipped.acme['app_key']}")
        shipped.call("GET", "/v1/checkauthentication", client_headers(shipped.acme))
    finally:
        shipped.database.allow_connections(True)


def test_no_process_has_said_a_secret(shipped: Installation) -> None:
    speak_of_everything(shipped)
    speak_without_a_database(shipped)
    ((echo,),) = shipped.database.rows(
        "SELECT token FROM demo_echo WHERE organization_id = %s", int(shipped.acme["organization_id"])
    )
    shipped.wait_ready()
    logs = shipped.logs()

    secrets = [*secrets_of(shipped.acme), *secrets_of(shipped.rival), *shipped.issued, echo]
    assert len(secrets) >= 11
    assert all(len(secret) >= 16 for secret in secrets)
    assert [secret for secret in secrets if secret in logs] == []
    assert logs.count('"event": "request"') > 10
    assert "Keizersgracht" not in logs
