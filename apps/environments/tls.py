"""What the web server in front needs to serve the hosts of environments over TLS: certificates, keys, a config."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.environments.models import SERVING, Environment

_NGINX = """server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {names};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    underscores_in_headers on;
    client_max_body_size {body};
    location / {{
        proxy_pass {upstream};
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto https;
    }}
}}
"""
_CADDY = """{names} {{
    tls {certificate} {key}
    reverse_proxy {upstream}
}}
"""
FORMS = {"nginx": (_NGINX, " "), "caddy": (_CADDY, ", ")}


@dataclass(frozen=True, slots=True)
class Site:
    """An environment's own certificate and the names that are served with it."""

    environment_id: int
    names: tuple[str, ...]
    certificate: str
    private_key: str


def sites() -> Iterator[Site]:
    """Every environment that has a certificate in force.

    It is served on the environment's own hosts and no others, whatever names stand in it: those could be anybody's.
    """
    rows = Environment.objects.filter(status__in=SERVING, provisioned_at__isnull=False, certificates__live=True)
    for environment in rows.order_by("pk").distinct():
        live = environment.certificates.get(live=True)
        names = tuple(filter(None, (environment.www_host, environment.api_host, environment.web_host)))
        yield Site(environment.pk, names, live.certificate + live.chain, live.private_key)


def write(folder: Path, form: str, upstream: str) -> list[Path]:
    """Write the certificates, their keys and the config into ``folder``; returns what was written, the config last.

    Files of environments that have none any more are removed. Keys can be read by their owner only.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    template, separator = FORMS[form]
    written, blocks = [], []
    for site in sites():
        certificate, key = folder / f"{site.environment_id}.crt", folder / f"{site.environment_id}.key"
        _put(certificate, site.certificate, 0o644)
        _put(key, site.private_key, 0o600)
        blocks.append(
            template.format(
                names=separator.join(site.names),
                certificate=certificate,
                key=key,
                upstream=upstream,
                body=settings.BODY_LIMIT,
            )
        )
        written += [certificate, key]
    for stale in [*folder.glob("*.crt"), *folder.glob("*.key")]:
        if stale.stem.isdecimal() and stale not in written:
            stale.unlink()
    config = folder / f"environments.{form}"
    _put(config, "\n".join(blocks), 0o644)
    return [*written, config]


def _put(path: Path, text: str, mode: int) -> None:
    """Whole or not at all, and never readable by more than ``mode`` says."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    fresh.replace(path)
