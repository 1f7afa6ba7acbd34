"""How gunicorn serves Flowize: ``gunicorn -c python:flowize.gunicorn_conf``.

Exactly four names with underscores reach the application, from any peer; every other such name is dropped, so none can
pass for its spelling with hyphens. If this file is lost, gunicorn drops the four as well.
"""

import os
from pathlib import Path
from typing import Any

LEAST_THREADS = 16  # fewer, and a handful of slow clients holds a whole process

wsgi_app = "flowize.wsgi:application"
proc_name = "flowize"
host = os.environ.get("HOST", "127.0.0.1")
bind = f"{f'[{host}]' if ':' in host else host}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", str(LEAST_THREADS)))
if threads < LEAST_THREADS:
    raise SystemExit(f"WEB_THREADS is {threads}: it must be {LEAST_THREADS} or more.")
worker_class = "flowize.gunicorn_worker.Worker"

forwarder_headers = "CLIENT_ID,CLIENT_SECRET,GRANT_TYPE,REFRESH_TOKEN"
forwarded_allow_ips = "*"  # gates the line above and, as the next one is empty, nothing else
secure_scheme_headers: dict[str, str] = {}  # which proxies may speak for a client is decided by TRUSTED_PROXIES
header_map = "drop"

limit_request_line = 8190  # gunicorn's most; URL parameters of 8 KiB are allowed
limit_request_fields = 100
limit_request_field_size = 8190

timeout = 60
graceful_timeout = 30
keepalive = 15
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a heartbeat must not wait for a disk
control_socket_disable = True

# A request line may hold keys: gunicorn writes no access log, the application writes its own without the query.
accesslog = None
errorlog = "-"
loglevel = "info"


def post_worker_init(worker: Any) -> None:
    """Each process carries its counts to the metrics by itself."""
    from apps.records.counters import Flusher

    worker.flusher = Flusher()
    worker.flusher.start()


def worker_exit(server: Any, worker: Any) -> None:
    """What was counted last is not lost."""
    if flusher := getattr(worker, "flusher", None):
        flusher.end()
