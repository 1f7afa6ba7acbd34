"""Structured logs: one JSON object a line, with the request's id, without secrets."""

import logging
import logging.config
from collections.abc import MutableMapping
from typing import Any

import structlog

SECRET_NAMES = ("secret", "token", "password", "api_key", "apikey", "authorization", "cookie")


def mask_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the value of every field whose name speaks of a secret."""
    for name in event:
        if any(part in name.lower() for part in SECRET_NAMES):
            event[name] = "***"
    return event


SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    mask_secrets,
]


def configure(options: dict[str, str]) -> None:
    """Set up structlog and the standard library's loggers; ``options`` are ``level`` and ``format`` (json, console)."""
    renderer: Any = structlog.processors.JSONRenderer()
    if options["format"] == "console":
        renderer = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(_standard(options["level"], renderer))


def _standard(level: str, renderer: Any) -> dict[str, Any]:
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": SHARED,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"flowize": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "flowize"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own request lines carry the query; ours do not.
            "django.request": {"level": "CRITICAL"},
            "django.server": {"level": "CRITICAL"},
            "django.security": {"level": "CRITICAL"},
            # One tick a second says nothing.
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
        },
    }
