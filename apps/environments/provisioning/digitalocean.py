"""Experimental: an environment as a server of DigitalOcean, with a volume and a firewall of its own.

The server runs this project against the installation's database (``DIGITALOCEAN_DATABASE_URL``), so that projects are
deployed to it as to any other environment. Everything is found again by its tag or name, which hold the environment's
id; nothing is made twice however often a worker dies.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from django.conf import settings

from apps.core.egress import EgressError, EgressPolicy, EgressRequest, EgressResponse, fetch
from apps.environments.hosts import host_name, new_label
from apps.environments.models import Environment, EnvironmentCertificate
from apps.environments.packages import ADDON_GIGABYTES
from apps.environments.provisioning.cloud_init import user_data
from apps.environments.provisioning.protocol import Hosts, NotYet, Refused

REGIONS = {
    "amsterdam": "ams3", "frankfurt": "fra1", "london": "lon1", "new york": "nyc3", "san francisco": "sfo3",
    "toronto": "tor1", "bangalore": "blr1", "singapore": "sgp1",
}  # fmt: skip
SIZES = {"SS-A": "s-1vcpu-2gb", "SS-B": "s-2vcpu-4gb", "SS-C": "s-4vcpu-8gb", "SS-D": "s-8vcpu-16gb"}
IMAGE = "debian-12-x64"
PORTS = ("22", "80", "443")
PAUSE = 10.0
_FOR_GOOD = frozenset({400, 401, 403, 422})  # asking again would be answered the same
Json = dict[str, Any]
Send = Callable[[EgressRequest, EgressPolicy], EgressResponse]


class DigitalOcean:
    """The driver ``digitalocean``: a handful of calls of its API, each made only when what it makes is missing."""

    name = "digitalocean"

    def __init__(self, send: Send = fetch) -> None:
        self._send = send

    def regions(self) -> Mapping[str, str]:
        """Its data centres in the cities that we know."""
        return REGIONS

    def allocate(self, environment: Environment) -> Hosts:
        """Server, volume, firewall; waits for the server to run and the volume to be attached."""
        label = environment.driver_state.setdefault("label", new_label())
        hosts = {kind: host_name(kind, label) for kind in ("www", "api", "web")}
        droplet = self._droplet(environment) or self._create_droplet(environment, hosts)
        environment.driver_state["droplet"] = droplet["id"]
        if droplet["status"] != "active":
            raise NotYet(PAUSE, "The server starts.")
        self._attach(environment, droplet)
        if not self._firewall(environment):
            self._create_firewall(environment)
        return Hosts(**hosts, address=_address(droplet))

    def resize(self, environment: Environment) -> None:
        """The server is switched off for it; a volume grows while it is in use."""
        self._grow(environment)
        droplet = self._droplet(environment)
        if droplet is None:
            raise Refused("The server of this environment is gone.")
        wanted = SIZES[environment.package_code]
        if droplet.get("locked"):
            raise NotYet(PAUSE, "The server is being changed.")
        if droplet["size_slug"] != wanted:
            if droplet["status"] == "active":
                self._act(droplet, {"type": "power_off"})
                raise NotYet(PAUSE, "The server is switched off.")
            self._act(droplet, {"type": "resize", "size": wanted, "disk": False})
            raise NotYet(PAUSE, "The server gets its new size.")
        if droplet["status"] != "active":
            self._act(droplet, {"type": "power_on"})
            raise NotYet(PAUSE, "The server starts again.")

    def install_certificate(self, environment: Environment, certificate: EnvironmentCertificate) -> None:
        """The server reads it from the database, where the row of the certificate is."""

    def remove_certificate(self, environment: Environment) -> None:
        """As it is for the database."""

    def release(self, environment: Environment) -> None:
        """Server, then volume, then firewall; asked again until all are gone."""
        if self._droplet(environment):
            self._call("DELETE", f"/droplets?tag_name={_tag(environment)}")
            raise NotYet(PAUSE, "The server is being removed.")
        if volume := self._volume(environment):
            self._call("DELETE", f"/volumes/{volume['id']}")
        if firewall := self._firewall(environment):
            self._call("DELETE", f"/firewalls/{firewall['id']}")

    def _droplet(self, environment: Environment) -> Json | None:
        return _first(self._call("GET", f"/droplets?tag_name={_tag(environment)}")["droplets"])

    def _create_droplet(self, environment: Environment, hosts: Mapping[str, str]) -> Json:
        body = {
            "name": _tag(environment),
            "region": REGIONS[environment.region],
            "size": SIZES[environment.package_code],
            "image": IMAGE,
            "tags": [_tag(environment)],
            "monitoring": True,
            "user_data": user_data(hosts.values(), environment.package.concurrency),
        }
        droplet: Json = self._call("POST", "/droplets", body)["droplet"]
        return droplet

    def _volume(self, environment: Environment) -> Json | None:
        region = REGIONS[environment.region]
        return _first(self._call("GET", f"/volumes?name={_tag(environment)}&region={region}")["volumes"])

    def _attach(self, environment: Environment, droplet: Json) -> None:
        volume = self._volume(environment)
        if volume is None:
            volume = self._call(
                "POST",
                "/volumes",
                {
                    "name": _tag(environment),
                    "region": REGIONS[environment.region],
                    "size_gigabytes": _gigabytes(environment),
                    "filesystem_type": "ext4",
                    "tags": [_tag(environment)],
                },
            )["volume"]
        environment.driver_state["volume"] = volume["id"]
        if droplet["id"] not in volume["droplet_ids"]:
            self._call("POST", f"/volumes/{volume['id']}/actions", {"type": "attach", "droplet_id": droplet["id"]})
            raise NotYet(PAUSE, "The volume is being attached.")

    def _grow(self, environment: Environment) -> None:
        volume = self._volume(environment)
        if volume and volume["size_gigabytes"] < _gigabytes(environment):
            body = {"type": "resize", "size_gigabytes": _gigabytes(environment)}
            self._call("POST", f"/volumes/{volume['id']}/actions", body)

    def _firewall(self, environment: Environment) -> Json | None:
        """The API has no search by name; an installation has few of them."""
        found = self._call("GET", "/firewalls?per_page=200")["firewalls"]
        return _first([one for one in found if one["name"] == _tag(environment)])

    def _create_firewall(self, environment: Environment) -> None:
        anywhere = {"addresses": ["0.0.0.0/0", "::/0"]}
        body = {
            "name": _tag(environment),
            "tags": [_tag(environment)],
            "inbound_rules": [{"protocol": "tcp", "ports": port, "sources": anywhere} for port in PORTS],
            "outbound_rules": [
                {"protocol": protocol, "ports": "all", "destinations": anywhere} for protocol in ("tcp", "udp")
            ],
        }
        self._call("POST", "/firewalls", body)

    def _act(self, droplet: Json, body: Json) -> None:
        self._call("POST", f"/droplets/{droplet['id']}/actions", body)

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        """One call; raises ``Refused`` for what would be refused again, ``NotYet`` for what may work later."""
        request = EgressRequest(
            method,
            settings.DIGITALOCEAN_URL + path,
            {"Authorization": f"Bearer {settings.DIGITALOCEAN_TOKEN}", "Content-Type": "application/json"},
            json.dumps(body).encode() if body is not None else b"",
        )
        try:
            response = self._send(request, EgressPolicy(tuple(settings.EGRESS_ALLOW)))
        except EgressError as error:
            raise NotYet(PAUSE, f"DigitalOcean cannot be reached ({error.code}).") from None
        if response.status in _FOR_GOOD:
            raise Refused(f"DigitalOcean refuses {method} {path.partition('?')[0]}: {_message(response)}")
        if response.status == 404 and method == "DELETE":
            return {}
        if response.status >= 300:
            raise NotYet(PAUSE, f"DigitalOcean answers {response.status}.")
        document: Json = json.loads(response.body) if response.body else {}
        return document


def _tag(environment: Environment) -> str:
    return quote(f"{settings.DIGITALOCEAN_PREFIX}-env-{environment.pk}")


def _gigabytes(environment: Environment) -> int:
    return environment.package.storage + ADDON_GIGABYTES * environment.storage_addons


def _address(droplet: Json) -> str:
    public = [network for network in droplet["networks"]["v4"] if network["type"] == "public"]
    if not public:
        raise NotYet(PAUSE, "The server has no address yet.")
    return str(public[0]["ip_address"])


def _message(response: EgressResponse) -> str:
    try:
        return str(json.loads(response.body)["message"])[:200]
    except (ValueError, KeyError, TypeError):
        return f"status {response.status}"


def _first(found: list[Json]) -> Json | None:
    return found[0] if found else None
