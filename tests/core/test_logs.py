"""The log of a process of its own: logging is global, and this one belongs to the test run."""

import json
import subprocess
import sys
from typing import Any

SCRIPT = """
import logging, structlog
from apps.core.logs import configure
configure({{"level": "{level}", "format": "{format}"}})
log = structlog.get_logger("flowize.request")
{lines}
"""


def written(lines: str, level: str = "INFO", layout: str = "json") -> list[str]:
    script = SCRIPT.format(lines=lines, level=level, format=layout)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
    return done.stderr.splitlines()


def rows(lines: str, level: str = "INFO") -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(lines, level)]


def test_a_line_is_one_json_object() -> None:
    (row,) = rows('log.info("request", route="v1/record", status=201)')
    assert row.pop("timestamp").endswith("Z")
    assert row == {
        "event": "request",
        "route": "v1/record",
        "status": 201,
        "level": "info",
        "logger": "flowize.request",
    }


def test_fields_that_speak_of_secrets_are_masked() -> None:
    lines = (
        'log.info("x", client_secret="s1", access_token="s2", Authorization="s3", api_key="s4", apikey="s5",'
        ' password="s6", set_cookie="s7", route="plain")'
    )
    (row,) = rows(lines)
    assert {name: value for name, value in row.items() if value == "***"} == dict.fromkeys(
        ["client_secret", "access_token", "Authorization", "api_key", "apikey", "password", "set_cookie"], "***"
    )
    assert row["route"] == "plain"


def test_the_standard_library_logs_in_the_same_form() -> None:
    lines = 'logging.getLogger("somebody.else").warning("said %s", "this", extra={"api_key": "k", "n": 1})'
    (row,) = rows(lines)
    del row["timestamp"]
    assert row == {"event": "said this", "level": "warning", "logger": "somebody.else", "api_key": "***", "n": 1}


def test_context_such_as_the_request_id_is_added() -> None:
    (row,) = rows('structlog.contextvars.bind_contextvars(request_id="abc"); log.info("x")')
    assert row["request_id"] == "abc"


def test_lines_below_the_level_are_left_out() -> None:
    assert [row["event"] for row in rows('log.info("a"); log.warning("b")', level="WARNING")] == ["b"]


def test_request_lines_of_django_which_carry_the_query_are_left_out() -> None:
    lines = 'logging.getLogger("django.request").error("Not Found: /v1/x?api_key=k"); log.error("own")'
    assert [row["event"] for row in rows(lines)] == ["own"]


def test_an_exception_keeps_its_traceback() -> None:
    lines = """
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""
    (row,) = rows(lines)
    assert (row["event"], row["level"]) == ("failed", "error")
    assert "ZeroDivisionError: division by zero" in row["exception"]


def test_the_console_format_is_for_people() -> None:
    (line,) = written('log.info("request", route="v1/record")', layout="console")
    assert "request" in line
    assert "v1/record" in line
    assert not line.startswith("{")
