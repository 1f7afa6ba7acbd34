"""Configurations of web servers that serve the hosts of environments over TLS."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Names in certificates are chosen by whoever made them: nothing else may reach a configuration.
_NAME = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HEAD = "# Written by manage.py environment_tls: write it anew when environments or certificates change, then reload.\n"


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a certificate with its chain and of its key."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class Site:
    """One name and the host it is passed on as; without a pair the web server has to find a certificate itself."""

    name: str
    host: str
    pair: Pair | None = None


@dataclass(frozen=True, slots=True)
class Hosts:
    """What an environment is reached by, and what the certificate in force is for."""

    www: str
    api: str
    web: str
    certified: tuple[str, ...] = ()
    pair: Pair | None = None


def sites_of(environments: Iterable[Hosts], own: Sequence[str], *, custom: bool) -> list[Site]:
    """The names to be served, each once: the first environment that has a certificate for a name gets it.

    With ``custom`` the other names of a certificate lead to the environment too: those that begin with ``api`` to its
    api host, all others to its html host. ``own`` are names of the installation, their subdomains with a leading dot:
    no certificate of an environment changes where these lead.
    """
    sites: dict[str, Site] = {}
    every = list(environments)
    for hosts in every:
        for name in (hosts.www, hosts.api, hosts.web):
            pair = hosts.pair if any(covers(each, name) for each in hosts.certified) else None
            sites.setdefault(name, Site(name, name, pair))
    for hosts in every if custom else ():
        for name in filter(None, map(readable, hosts.certified)):
            if not any(_belongs(name, each) for each in own):
                sites.setdefault(name, Site(name, _host_for(name, hosts), hosts.pair))
    return list(sites.values())


def covers(certified: str, host: str) -> bool:
    """Whether a name of a certificate is for the host; a star stands for one label."""
    certified, host = certified.lower(), host.lower()
    if certified.startswith("*."):
        return host.partition(".")[2] == certified[2:]
    return certified == host


def readable(name: str) -> str | None:
    """A name of a certificate as a configuration may hold it, nothing for addresses and whatever else there is."""
    name = name.lower()
    last = name.rpartition(".")[2]
    return name if len(name) <= 253 and _NAME.fullmatch(name) and not last.isdecimal() else None


def caddyfile(sites: Iterable[Site], upstream: str) -> str:
    """For Caddy, which gets the certificates that are missing by itself."""
    return _HEAD + "".join(_caddy_site(site, upstream) for site in sites)


def nginx_configuration(sites: Iterable[Site], upstream: str, default: Pair | None, body_bytes: int) -> str:
    """For nginx, to be included in its ``http`` block; raises ValueError for a site that has no certificate."""
    return _HEAD + "".join(_nginx_site(site, upstream, site.pair or default, body_bytes) for site in sites)


def _host_for(name: str, hosts: Hosts) -> str:
    return hosts.api if name.partition(".")[0].split("-")[0] == "api" else hosts.web


def _belongs(name: str, own: str) -> bool:
    bare = name.removeprefix("*.")
    return bare == own.removeprefix(".") or (own.startswith(".") and bare.endswith(own))


def _caddy_site(site: Site, upstream: str) -> str:
    tls = f"    tls {site.pair.certificate} {site.pair.key}\n" if site.pair else ""
    proxy = f"    reverse_proxy {upstream}"
    if site.name != site.host:
        proxy += f" {{\n        header_up Host {site.host}\n    }}"
    return f"\n{site.name} {{\n{tls}{proxy}\n}}\n"


def _nginx_site(site: Site, upstream: str, pair: Pair | None, body_bytes: int) -> str:
    if pair is None:
        raise ValueError(site.name)
    return f"""
server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {site.name};
    ssl_certificate {pair.certificate};
    ssl_certificate_key {pair.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    underscores_in_headers on;
    client_max_body_size {body_bytes};
    location / {{
        proxy_pass http://{upstream};
        proxy_set_header Host {site.host};
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto https;
    }}
}}
"""
