"""Files for the web server in front."""

import stat
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import TextField, Value
from django.utils import timezone

from apps.environments.certificates import parsed_form, read_certificate
from apps.environments.certificates.webservers import (
    Hosts,
    Pair,
    Site,
    caddyfile,
    covers,
    nginx_configuration,
    readable,
    sites_of,
)
from apps.environments.models import Environment, EnvironmentCertificate, PlatformVersion, Status
from tests.conftest import Tenant
from tests.environments.openssl import Maker, openssl
from tests.environments.openssl import Pair as Files

OWN = ["localhost", ".env.test", "flowize.test"]
PAIR, OTHER = Pair("/c/1.pem", "/c/1.key"), Pair("/c/2.pem", "/c/2.key")


def hosts(number: int, *certified: str, pair: Pair | None = PAIR) -> Hosts:
    names = (f"{kind}-{number}.env.test" for kind in ("www", "api", "web"))
    return Hosts(*names, certified=certified, pair=pair if certified else None)


@pytest.mark.parametrize(
    ("certified", "host", "expected"),
    [
        ("a.test", "a.test", True),
        ("A.test", "a.TEST", True),
        ("*.test", "a.test", True),
        ("*.test", "b.a.test", False),
        ("*.test", "test", False),
        ("a.test", "b.a.test", False),
        ("*", "a", False),
    ],
)
def test_which_hosts_a_certificate_is_for(certified: str, host: str, expected: bool) -> None:
    assert covers(certified, host) is expected


@pytest.mark.parametrize("name", ["shop.example.com", "*.example.com", "SHOP.example.com", "xn--bcher-kva.example"])
def test_names_that_may_stand_in_a_configuration(name: str) -> None:
    assert readable(name) == name.lower()


@pytest.mark.parametrize(
    "name",
    [
        *("a.test; include /etc/passwd;", "a.test {", "a.test\nb.test", "a.test }", "${x}.test", "a b.test", ""),
        *("192.0.2.1", "2001:db8::1", "localhost", "*", "a.*.test", "-a.test", "a..test", ".test", "~^.*$", '"a.test"'),
        *("a" * 64 + ".test", ".".join(["a" * 60] * 5), "a.test\n", "a_b.test", "*.*.test"),
    ],
)
def test_names_that_may_not(name: str) -> None:
    assert readable(name) is None


def test_hosts_have_the_certificate_that_is_for_them() -> None:
    sites = sites_of([hosts(1, "*.env.test"), hosts(2, "web-2.env.test", pair=OTHER), hosts(3)], OWN, custom=False)

    assert [(site.name, site.pair) for site in sites] == [
        *((f"{kind}-1.env.test", PAIR) for kind in ("www", "api", "web")),
        ("www-2.env.test", None),
        ("api-2.env.test", None),
        ("web-2.env.test", OTHER),
        *((f"{kind}-3.env.test", None) for kind in ("www", "api", "web")),
    ]
    assert all(site.name == site.host for site in sites)


def test_other_names_of_certificates_lead_to_their_environment_when_asked() -> None:
    names = (
        "shop.example",
        "*.shop.example",
        "api.shop.example",
        "api-2.shop.example",
        "apis.shop.example",
        "x;y.test",
    )
    sites = sites_of([hosts(1, *names)], OWN, custom=True)[3:]

    assert sites == [
        Site("shop.example", "web-1.env.test", PAIR),
        Site("*.shop.example", "web-1.env.test", PAIR),
        Site("api.shop.example", "api-1.env.test", PAIR),
        Site("api-2.shop.example", "api-1.env.test", PAIR),
        Site("apis.shop.example", "web-1.env.test", PAIR),
    ]
    assert len(sites_of([hosts(1, *names)], OWN, custom=False)) == 3


def test_nobody_takes_the_installations_own_names_or_those_of_others() -> None:
    greedy = hosts(
        2, "flowize.test", "web-1.env.test", "*.env.test", "env.test", "shop.example", "localhost", pair=OTHER
    )
    sites = {site.name: site for site in sites_of([hosts(1, "shop.example"), greedy], OWN, custom=True)}

    assert sites.keys() == {*(f"{kind}-{n}.env.test" for kind in ("www", "api", "web") for n in (1, 2)), "shop.example"}
    assert sites["shop.example"] == Site("shop.example", "web-1.env.test", PAIR)
    assert sites["web-1.env.test"].pair is None


def test_a_caddyfile() -> None:
    sites = [Site("web-1.env.test", "web-1.env.test"), Site("shop.example", "web-1.env.test", PAIR)]

    assert (
        caddyfile(sites, "127.0.0.1:8000").partition("\n")[2]
        == """
web-1.env.test {
    reverse_proxy 127.0.0.1:8000
}

shop.example {
    tls /c/1.pem /c/1.key
    reverse_proxy 127.0.0.1:8000 {
        header_up Host web-1.env.test
    }
}
"""
    )


def test_a_configuration_of_nginx() -> None:
    text = nginx_configuration([Site("shop.example", "web-1.env.test", PAIR)], "127.0.0.1:8000", None, 11_000)

    assert (
        text.partition("\n")[2]
        == """
server {
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name shop.example;
    ssl_certificate /c/1.pem;
    ssl_certificate_key /c/1.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    underscores_in_headers on;
    client_max_body_size 11000;
    location / {
        proxy_pass http://127.0.0.1:8000;
        proxy_set_header Host web-1.env.test;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto https;
    }
}
"""
    )
    bare = [Site("web-1.env.test", "web-1.env.test")]
    assert "ssl_certificate /c/2.pem;" in nginx_configuration(bare, "127.0.0.1:8000", OTHER, 11_000)
    with pytest.raises(ValueError, match=r"^web-1\.env\.test$"):
        nginx_configuration(bare, "127.0.0.1:8000", None, 11_000)


# --- The command ------------------------------------------------------------------------------------------------------


def make_environment(tenant: Tenant, number: int, status: str = Status.READY) -> Environment:
    version, _ = PlatformVersion.objects.get_or_create(version="v.1", defaults={"date_created": timezone.now()})
    names = {f"{kind}_host": f"{kind}-{number:024}.localhost" for kind in ("www", "api", "web")}
    return Environment.objects.create(
        organization=tenant.organization,
        name=f"Environment {number}",
        package_code="SS-A",
        region="london",
        version=version,
        status=status,
        provisioned_at=timezone.now(),
        **names,
    )


def install(environment: Environment, files: Files, chain: bytes = b"", live: bool = True) -> EnvironmentCertificate:
    read = read_certificate(
        now=datetime.now(UTC), private_key_file=files.key, certificate_file=files.certificate + chain
    )
    return EnvironmentCertificate.objects.create(
        environment=environment,
        live=live,
        certificate=read.certificate,
        chain=read.chain,
        private_key=read.private_key,
        parsed=parsed_form(read.certificate),
        hosts=list(read.hosts),
        fingerprint=read.fingerprint,
        not_before=read.not_before,
        not_after=read.not_after,
    )


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("environment_tls", *arguments, stdout=out)
    return out.getvalue()


def test_files_are_written_and_named(acme: Tenant, site: Files, middle: Files, tmp_path: Path) -> None:
    certificate = install(make_environment(acme, 1), site, middle.certificate)
    make_environment(acme, 2, status=Status.DELETED)

    text = run("caddy", str(tmp_path / "tls"), "--custom-names")

    place = tmp_path / "tls" / certificate.fingerprint
    assert f"\nwww.example.com {{\n    tls {place}/fullchain.pem {place}/key.pem\n" in text
    assert "header_up Host web-000000000000000000000001.localhost" in text
    assert "192.0.2.7" not in text
    assert text.count("reverse_proxy 127.0.0.1:") == 5
    assert (place / "key.pem").read_bytes() == site.key
    assert (place / "fullchain.pem").read_bytes() == site.certificate + middle.certificate
    modes = {name: stat.S_IMODE((place / name).stat().st_mode) for name in ("key.pem", "fullchain.pem", ".")}
    assert modes == {"key.pem": 0o600, "fullchain.pem": 0o644, ".": 0o700}
    assert b"PRIVATE" not in text.encode()


def test_the_files_of_a_certificate_that_is_gone_go_once_the_new_configuration_is_there(
    acme: Tenant, site: Files, alone: Files, tmp_path: Path
) -> None:
    environment = make_environment(acme, 1)
    old = install(environment, alone)
    folder, output = tmp_path / "tls", tmp_path / "flowize.conf"
    run("caddy", str(folder), "--output", str(output))
    (folder / "keep.txt").write_text("not ours")

    old.delete()
    new = install(environment, site)
    install(environment, alone, live=False)
    run("caddy", str(folder))
    assert (folder / old.fingerprint / "key.pem").exists()
    assert run("caddy", str(folder), "--output", str(output), "--custom-names").startswith("5 names are in ")

    assert {path.name for path in folder.iterdir()} == {new.fingerprint, "keep.txt"}
    assert new.fingerprint in output.read_text()
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_nginx_needs_a_certificate_for_every_host(acme: Tenant, site: Files, tmp_path: Path) -> None:
    install(make_environment(acme, 1), site)
    with pytest.raises(CommandError, match=r"^www-000000000000000000000001\.localhost has no certificate"):
        run("nginx", str(tmp_path))
    with pytest.raises(CommandError, match="go together"):
        run("nginx", str(tmp_path), "--key", "/k.pem")

    text = run("nginx", str(tmp_path), "--certificate", "/etc/w.pem", "--key", "/etc/w.key")
    assert text.count("ssl_certificate /etc/w.pem;") == 3


@pytest.mark.parametrize(
    "arguments",
    [["caddy", "/tmp/a b"], ["caddy", "/tmp/x;y"], ["caddy", "{folder}", "--upstream", "a b"], ["apache", "/tmp/x"]],
)
def test_arguments_that_would_break_a_configuration_are_refused(db: None, arguments: list[str], tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        run(*(each.format(folder=tmp_path) for each in arguments))


def test_a_key_that_cannot_be_read_is_said_so(acme: Tenant, site: Files, tmp_path: Path) -> None:
    environment = make_environment(acme, 1)
    install(environment, site)
    EnvironmentCertificate.objects.update(private_key=Value("gAAAA", output_field=TextField()))

    with pytest.raises(CommandError, match=rf"^The private key of Environment 1 \({environment.pk}\) cannot be read"):
        run("caddy", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_names_of_certificates_cannot_write_configuration(acme: Tenant, maker: Maker, tmp_path: Path) -> None:
    evil = maker.signed(extensions="subjectAltName=DNS:a.test }\\; import /etc/passwd,DNS:good.example")
    assert b"import" in openssl("x509", "-noout", "-text", stdin=evil.certificate)
    install(make_environment(acme, 1), evil)

    text = run("caddy", str(tmp_path), "--custom-names")

    assert "good.example {" in text
    assert "import" not in text


def test_without_certificates_no_folder_is_needed(db: None, tmp_path: Path) -> None:
    output = tmp_path / "Caddyfile"
    assert "0 names are in" in run("caddy", str(tmp_path / "none"), "--output", str(output))
    assert output.read_text().startswith("# Written by")


def test_without_environments_there_is_nothing_to_serve(db: None, tmp_path: Path, settings: Any) -> None:
    assert run("caddy", str(tmp_path)).count("\n") == 1
