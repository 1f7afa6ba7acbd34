"""What a fresh server runs when it starts for the first time: it installs this project and serves an environment."""

import json
from collections.abc import Iterable

from django.conf import settings

_FOLDER, _HOME = "/opt/flowize", "/var/lib/flowize"
_UNIT = f"""[Unit]
Description=Flowize
After=network-online.target
Wants=network-online.target

[Service]
EnvironmentFile=/etc/flowize.env
WorkingDirectory={_FOLDER}
ExecStart={_FOLDER}/.venv/bin/python manage.py up --no-demo
Restart=always
User=flowize
AmbientCapabilities=CAP_NET_BIND_SERVICE

[Install]
WantedBy=multi-user.target
"""


def user_data(hosts: Iterable[str], concurrency: int) -> str:
    """The cloud-config document of a server that answers ``hosts``. JSON, which is YAML too."""
    source = settings.DIGITALOCEAN_SOURCE
    variables = {
        "DATABASE_URL": settings.DIGITALOCEAN_DATABASE_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        "PUBLIC_URL": settings.PUBLIC_URL,
        "ENVIRONMENT_DOMAIN": settings.ENVIRONMENT_DOMAIN,
        "ALLOWED_HOSTS": ",".join(hosts),
        "HOST": "0.0.0.0",  # noqa: S104 - the firewall lets in what may come in
        "PORT": "80",
        "WORKER_CONCURRENCY": str(max(2, concurrency // 8)),
        "FLOWIZE_HOME": _HOME,
    }
    document = {
        "packages": ["git", "make", "python3-venv"],
        "users": [{"name": "flowize", "system": True, "homedir": _HOME}],
        "write_files": [
            {"path": "/etc/flowize.env", "permissions": "0600", "content": _lines(variables)},
            {"path": "/etc/systemd/system/flowize.service", "content": _UNIT},
        ],
        "runcmd": [
            ["git", "clone", "--depth", "1", source, _FOLDER],
            ["make", "-C", _FOLDER, "install"],
            ["install", "-d", "-o", "flowize", _HOME],
            ["chown", "-R", "flowize", _FOLDER],
            ["systemctl", "enable", "--now", "flowize"],
        ],
    }
    return "#cloud-config\n" + json.dumps(document, indent=1)


def _lines(variables: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in variables.items() if value)
