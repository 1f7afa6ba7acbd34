"""A stand-in for the API of DigitalOcean on loopback: the answers' shapes are those of its documentation."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "dop_v1_secret"


class Cloud:
    """Servers, volumes and firewalls; what is begun is finished at the next ``tick``."""

    def __init__(self) -> None:
        self.droplets: dict[int, dict[str, Any]] = {}
        self.volumes: dict[str, dict[str, Any]] = {}
        self.firewalls: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.later: list[Any] = []
        self.refusal: tuple[int, str] | None = None
        self.user_data = ""
        self._number = 100

    def tick(self) -> None:
        """What was begun is done."""
        for act in self.later:
            act()
        self.later.clear()

    def answer(self, method: str, target: str, body: Any, token: str) -> tuple[int, Any]:
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.calls.append(f"{method} {url.path}")
        if token != f"Bearer {TOKEN}":
            return 401, {"id": "Unauthorized", "message": "Unable to authenticate you"}
        if self.refusal:
            return self.refusal[0], {"id": "unprocessable_entity", "message": self.refusal[1]}
        kind, _, rest = url.path.strip("/").partition("/")
        return getattr(self, f"_{kind}")(method, rest, query, body)

    def _new(self) -> int:
        self._number += 1
        return self._number

    def _droplets(self, method: str, rest: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "POST" and not rest:
            number = self._new()
            self.user_data = body["user_data"]
            droplet = {
                "id": number, "name": body["name"], "status": "new", "size_slug": body["size"], "locked": False,
                "region": {"slug": body["region"]}, "tags": body["tags"],
                "networks": {"v4": [{"type": "private", "ip_address": "10.0.0.2"}]},
            }  # fmt: skip
            self.droplets[number] = droplet
            self.later.append(lambda: self._start(droplet))
            return 202, {"droplet": droplet}
        if found := re.fullmatch(r"(\d+)/actions", rest):
            droplet = self.droplets[int(found[1])]
            acts: dict[str, dict[str, Any]] = {
                "power_off": {"status": "off"},
                "power_on": {"status": "active"},
                "resize": {"size_slug": body.get("size")},
            }
            droplet["locked"] = True
            self.later.append(lambda: droplet.update(acts[body["type"]], locked=False))
            return 201, {"action": {"id": self._new(), "status": "in-progress", "type": body["type"]}}
        tagged = [one for one in self.droplets.values() if query["tag_name"] in one["tags"]]
        if method == "DELETE":
            for one in tagged:
                self.later.append(lambda one=one: self.droplets.pop(one["id"], None))
            return 204, None
        return 200, {"droplets": tagged, "meta": {"total": len(tagged)}}

    @staticmethod
    def _start(droplet: dict[str, Any]) -> None:
        droplet["status"] = "active"
        droplet["networks"]["v4"].append({"type": "public", "ip_address": "203.0.113.50"})

    def _volumes(self, method: str, rest: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "POST" and not rest:
            volume = {**body, "id": f"v-{self._new()}", "droplet_ids": []}
            self.volumes[volume["id"]] = volume
            return 201, {"volume": volume}
        if rest.endswith("/actions"):
            volume = self.volumes[rest.partition("/")[0]]
            if body["type"] == "attach":
                self.later.append(lambda: volume["droplet_ids"].append(body["droplet_id"]))
            else:
                volume["size_gigabytes"] = body["size_gigabytes"]
            return 202, {"action": {"id": self._new(), "status": "in-progress"}}
        if method == "DELETE":
            return (204, None) if self.volumes.pop(rest, None) else (404, {"message": "not found"})
        return 200, {"volumes": [one for one in self.volumes.values() if one["name"] == query["name"]]}

    def _firewalls(self, method: str, rest: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "POST":
            self.firewalls[f"f-{self._new()}"] = body
            return 202, {"firewall": body}
        if method == "DELETE":
            return (204, None) if self.firewalls.pop(rest, None) else (404, {"message": "not found"})
        return 200, {"firewalls": [{**one, "id": key} for key, one in self.firewalls.items()]}


class Service:
    """The stand-in as a server on loopback."""

    def __init__(self, cloud: Cloud) -> None:
        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                token = self.headers.get("Authorization", "")
                status, document = cloud.answer(self.command, self.path.removeprefix("/v2"), body, token)
                content = b"" if document is None else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - names of the library

            def log_message(self, *args: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v2"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
