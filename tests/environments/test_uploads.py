"""Certificates uploaded as forms, installed by their job, shown without their key."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.core.crypto import decrypt
from apps.environments.certificates import parsed_form
from apps.environments.execution import work_all
from apps.environments.job_steps import StepFailed
from apps.environments.models import Environment, EnvironmentCertificate
from apps.environments.provisioning.local import Local
from tests.environments.conftest import Caller
from tests.environments.openssl import Pair

BOUNDARY = "----------boundary"


def form(fields: dict[str, str], files: list[tuple[str, bytes]]) -> bytes:
    """A multipart body as curl writes it."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in fields.items()
    ]
    parts += [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="../../etc/x.pem"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def upload(
    call: Caller,
    environment: Environment,
    status: int = 200,
    fields: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    boundary: str = BOUNDARY,
    **files: Any,
) -> Any:
    """Send files; a list is several under one name."""
    listed = [(name, one) for name, found in files.items() for one in (found if isinstance(found, list) else [found])]
    response = Client().generic(
        "POST",
        f"/v1/environment/{environment.pk}",
        form(fields or {}, listed).replace(BOUNDARY.encode(), boundary.encode()),
        f"multipart/form-data; boundary={boundary}",
        headers={"X-Apikey": call.key, "Accept": "application/json"} | (headers or {}),
    )
    assert response.status_code == status, response.content
    answer = response.json()
    return answer["data"] if status < 400 else answer["error"]


def unchanged(environment: Environment) -> None:
    row = Environment.objects.get(pk=environment.pk)
    assert (row.name, row.status) == ("Production", "ready")
    assert not EnvironmentCertificate.objects.exists()


def test_certificate_is_installed_and_shown_without_its_key(
    call: Caller, environment: Environment, site: Pair, middle: Pair
) -> None:
    answered = upload(
        call,
        environment,
        fields={"name": "Shop", "delete_certificate": "0"},
        private_key_file=site.key,
        certificate_file=site.certificate,
        chain_files=[middle.certificate],
    )
    assert (answered["status"], answered["name"]) == ("updating", "Shop")
    expected = parsed_form(site.certificate.decode())
    assert answered["ssl_certificate"] == expected
    assert not EnvironmentCertificate.objects.get().live
    work_all()
    found = call("GET", f"/{environment.pk}")
    assert (found["status"], found["ssl_certificate"]) == ("ready", expected)
    row = EnvironmentCertificate.objects.get()
    assert row.live
    assert row.chain.count("BEGIN CERTIFICATE") == 1
    assert "ssl_certificate" not in call("GET")[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key, to_jsonb(c)::text FROM environments_environmentcertificate c")
        stored, whole = cursor.fetchone()
    assert "PRIVATE KEY" not in whole
    assert "PRIVATE KEY" in decrypt(stored)
    for answer in (answered, found):
        assert "PRIVATE KEY" not in json.dumps(answer)


@pytest.mark.parametrize("name", ["chain_files[]", "chain_files[0]"])
def test_files_of_the_chain_are_taken_as_clients_name_them(
    call: Caller, environment: Environment, site: Pair, middle: Pair, name: str
) -> None:
    files = {"private_key_file": site.key, "certificate_file": site.certificate, name: middle.certificate}
    upload(call, environment, **files)
    assert EnvironmentCertificate.objects.get().chain.count("BEGIN CERTIFICATE") == 1


def test_an_upload_that_is_repeated_is_carried_out_once(call: Caller, environment: Environment, alone: Pair) -> None:
    sent = {"pem_file": alone.key + alone.certificate, "headers": {"Idempotency-Key": "upload-1"}}
    first = upload(call, environment, **sent)
    work_all()
    assert upload(call, environment, boundary="another-boundary", **sent) == first
    upload(call, environment, 409, {"name": "Other"}, boundary="another-boundary", **sent)
    assert environment.jobs.filter(kind="update").count() == 1


@pytest.mark.parametrize("path", ["", "/update-version"])
def test_a_certificate_that_was_not_installed_is_forgotten_by_the_next_order(
    call: Caller, environment: Environment, site: Pair, alone: Pair, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    upload(call, environment, pem_file=site.key + site.certificate)
    work_all()
    with monkeypatch.context() as patch:
        patch.setattr(Local, "install_certificate", lambda *given: (_ for _ in ()).throw(StepFailed("No.")))
        upload(call, environment, pem_file=alone.key + alone.certificate)
        work_all()
    call("POST", f"/{environment.pk}{path}", None if path else {"delete_certificate": 1})
    work_all()
    shown = call("GET", f"/{environment.pk}")["ssl_certificate"]
    assert shown == (parsed_form(site.certificate.decode()) if path else None)


def test_pem_file_counts_alone(call: Caller, environment: Environment, site: Pair, alone: Pair) -> None:
    bom = b"\xef\xbb\xbf" + (site.key + site.certificate).replace(b"\n", b"\r\n")
    answered = upload(call, environment, pem_file=bom, private_key_file=alone.key)
    assert answered["ssl_certificate"] == parsed_form(site.certificate.decode())


def test_old_certificate_serves_until_the_new_one_does(
    call: Caller, environment: Environment, site: Pair, alone: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(call, environment, pem_file=site.key + site.certificate)
    work_all()
    upload(call, environment, pem_file=alone.key + alone.certificate)
    seen = []

    def broken(driver: Local, environment: Environment, certificate: EnvironmentCertificate) -> None:
        seen.append(list(environment.certificates.order_by("live").values_list("live", flat=True)))
        raise StepFailed("No.")

    with monkeypatch.context() as patch:
        patch.setattr(Local, "install_certificate", broken)
        work_all()
    assert seen == [[False, True]]
    row = Environment.objects.get(pk=environment.pk)
    assert (row.status, row.status_reason) == ("error", "No.")
    assert environment.certificates.get(live=True).parsed == parsed_form(site.certificate.decode())
    upload(call, environment, pem_file=alone.key + alone.certificate)
    work_all()
    assert EnvironmentCertificate.objects.get().parsed == parsed_form(alone.certificate.decode())


def test_certificate_is_removed(call: Caller, environment: Environment, site: Pair) -> None:
    upload(call, environment, pem_file=site.key + site.certificate)
    work_all()
    upload(call, environment, fields={"delete_certificate": "1"})
    work_all()
    assert not EnvironmentCertificate.objects.exists()
    assert call("GET", f"/{environment.pk}")["ssl_certificate"] is None


def test_uploads_that_are_refused_change_nothing(
    call: Caller, environment: Environment, site: Pair, alone: Pair
) -> None:
    refused: list[dict[str, Any]] = [
        {"certificate_file": site.certificate},
        {"private_key_file": site.key},
        {"chain_files": site.certificate},
        {"private_key_file": alone.key, "certificate_file": site.certificate},
        {"private_key_file": site.key, "certificate_file": site.key},
        {"pem_file": b"garbage"},
        {"pem_file": b""},
        {"pem_file": [site.key, site.certificate]},
        {"pem_file": site.key + site.certificate, "fields": {"delete_certificate": "1"}},
        {"pem_file": site.key + site.certificate, "fields": {"delete_certificate": "maybe"}},
        {"pem_file": site.key + site.certificate, "fields": {"name": ""}},
    ]
    for files in refused:
        fields = {"name": "changed"} | files.get("fields", {})
        error = upload(call, environment, 400, fields=fields, **{k: v for k, v in files.items() if k != "fields"})
        assert "PRIVATE KEY-" not in json.dumps(error)
        unchanged(environment)
    assert environment.jobs.count() == 1


def test_files_and_forms_that_are_too_large(call: Caller, environment: Environment) -> None:
    error = upload(call, environment, 413, pem_file=b"x" * 65_537)
    assert error["message"] == "The file pem_file is larger than 65536 bytes."
    upload(call, environment, 413, pem_file=b"x" * (10 * 1024 * 1024))
    unchanged(environment)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary="),
        (b"x", f"multipart/form-data; boundary={'b' * 500}"),
        (form({}, [])[:-10], f"multipart/form-data; boundary={BOUNDARY}"),
        (form({"name": "a\0b"}, []), f"multipart/form-data; boundary={BOUNDARY}"),
        (form({f"f{n}": "x" for n in range(1500)}, []), f"multipart/form-data; boundary={BOUNDARY}"),
        (form({}, [("pem_file", b"x")] * 150), f"multipart/form-data; boundary={BOUNDARY}"),
        (form({"name": "a"}, []) + form({"name": "b"}, []), f"multipart/form-data; boundary={BOUNDARY}"),
    ],
)
def test_forms_that_cannot_be_read(call: Caller, environment: Environment, body: bytes, kind: str) -> None:
    response = Client(raise_request_exception=False).generic(
        "POST",
        f"/v1/environment/{environment.pk}",
        body,
        kind,
        headers={"X-Apikey": call.key, "Accept": "application/json"},
    )
    assert response.status_code == 400, response.content
    unchanged(environment)


def test_forms_are_taken_where_files_are_and_nowhere_else(call: Caller, environment: Environment) -> None:
    response = Client().generic(
        "POST",
        "/v1/environment",
        form({"name": "x", "package": "SS-A", "region": "london"}, []),
        f"multipart/form-data; boundary={BOUNDARY}",
        headers={"X-Apikey": call.key, "Accept": "application/json"},
    )
    assert response.status_code == 415
