"""``core.email``: one mail, from a template of the workspace or from texts in the flow itself."""

import hashlib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import replace
from email.utils import formataddr
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email
from django.utils.encoding import punycode

from apps.contents.models import Template, TemplateKind
from apps.core.errors import NotFound
from apps.core.mail import MailNotConfigured
from apps.flows.engine.mapping import mapped
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.templates import Template as Compiled
from apps.flows.engine.templates import TemplateError, compile_template
from apps.flows.engine.walk import Call
from apps.records.effects.unsendable import Unsendable
from apps.records.place import Place

MOST_RECIPIENTS = 50
MOST_SUBJECT = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_INVALID = "email.invalid"


def prepare_email(place: Place, call: Call) -> Call | AppError:
    """The call with the texts of its template filled in and its Message-ID; raises ``NotFound``."""
    config = {**call.config, "message_id": message_id(place.workspace_id, call.idempotency_key)}
    if "template" in config:
        template = _find_template(place.workspace_id, config.pop("template"))
        try:
            texts = _compiled(template.subject, template.text, template.html).render(call.scope)
        except TemplateError as error:
            return AppError("template", f"The template '{template.name}' cannot be rendered: {error}")
        config |= {key: text for key, text in texts.items() if text}
    return replace(call, config=config)


def _find_template(workspace_id: int, name: str) -> Template:
    rows = Template.objects.in_workspace(workspace_id).filter(kind=TemplateKind.EMAIL, name=name)
    found = rows.first() if "\0" not in name else None
    if found is None:
        raise NotFound(f"There is no e-mail template '{name}'.")
    return found


@lru_cache(maxsize=256)
def _compiled(subject: str, text: str, html: str) -> Compiled:
    """Parts are joined as text even where one is a single expression."""
    return compile_template({"subject": subject, "text": text, "html": html}, html=["html"])


def message_id(workspace_id: int, idempotency_key: str) -> str:
    """The same for every attempt at one step, so that a mail that comes twice can be known by it."""
    digest = hashlib.sha256(f"{settings.PUBLIC_URL} {workspace_id} {idempotency_key}".encode()).hexdigest()[:40]
    domain = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    return f"<{digest}@{domain}>"


def send_email(call: Call) -> AppResult | AppError:
    """Send a prepared mail; the answer is ``{message_id, recipients}``. Raises Unsendable."""
    message = _message(call.config, call.timeout)
    try:
        message.send()
    except MailNotConfigured as error:
        return AppError("email", str(error))
    except (smtplib.SMTPException, OSError) as error:
        return _failure(error)
    answer = {"message_id": call.config["message_id"], "recipients": len(message.recipients())}
    return mapped(call.config, answer, call.scope)


def _message(config: Mapping[str, Any], timeout: float) -> EmailMultiAlternatives:
    lists = {name: list(_addresses(name, config.get(name))) for name in ("to", "cc", "bcc", "reply_to")}
    if not lists["to"]:
        raise Unsendable(_INVALID, "to: there is no address.")
    if sum(len(lists[name]) for name in ("to", "cc", "bcc")) > MOST_RECIPIENTS:
        raise Unsendable(_INVALID, f"More than {MOST_RECIPIENTS} recipients.")
    text, html = config.get("text", ""), config.get("html", "")
    message = EmailMultiAlternatives(
        subject=_subject(config.get("subject", "")),
        body=text or html,
        headers={"Message-ID": config["message_id"], "Auto-Submitted": "auto-generated"},
        connection=get_connection(timeout=timeout),
        to=lists["to"],
        cc=lists["cc"],
        bcc=lists["bcc"],
        reply_to=lists["reply_to"],
    )
    if html and text:
        message.attach_alternative(html, "text/html")
    elif html:
        message.content_subtype = "html"
    return message


def _subject(subject: Any) -> str:
    subject = subject if isinstance(subject, str) else str(subject)
    if not subject.strip():
        raise Unsendable(_INVALID, "subject: it is empty.")
    if len(subject) > MOST_SUBJECT:
        raise Unsendable(_INVALID, f"subject: longer than {MOST_SUBJECT} characters.")
    if _CONTROL.search(subject):
        raise Unsendable(_INVALID, "subject: a line break or another control character.")
    return subject


def _addresses(name: str, value: Any) -> Iterator[str]:
    """Each text is one address, with a name or without; what data puts into it cannot become a second one."""
    for text in value if isinstance(value, list) else [value]:
        if text is not None and text.strip():
            yield _address(name, text.strip())


def _address(name: str, text: str) -> str:
    refusal = Unsendable(_INVALID, f"{name}: one of the addresses is no e-mail address.")
    if _CONTROL.search(text):
        raise refusal
    shown, angle, rest = text.rpartition("<")
    person, address = (shown.strip().strip('"'), rest.removesuffix(">")) if angle else ("", text)
    if angle and (not rest.endswith(">") or "<" in person or ">" in person):
        raise refusal
    try:
        validate_email(address)
        address = _on_the_wire(address)
    except (ValidationError, UnicodeError):
        raise refusal from None
    return formataddr((person, address)) if person else address


def _on_the_wire(address: str) -> str:
    """With its domain in ASCII, the only form that mail servers know; raises UnicodeError for one that has none."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{punycode(domain)}"


def _failure(error: Exception) -> AppError:
    """The error of a step; what the mail server wrote is left out, its code says enough."""
    match error:
        case smtplib.SMTPAuthenticationError() | smtplib.SMTPNotSupportedError():
            return AppError("email", "The mail server does not take the user name, password or TLS of EMAIL_URL.")
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code = max(reply[0] for reply in refused.values())
            return _refused(code, f"The mail server refused {len(refused)} of the recipients ({code}); none got it.")
        case smtplib.SMTPResponseException(smtp_code=code):
            return _refused(code, f"The mail server answered {code}.")
        case TimeoutError():
            return AppError("timeout", "The mail server did not answer in time.")
        case ssl.SSLError():
            return AppError("tls", "No trusted TLS connection to the mail server.")
        case socket.gaierror():
            return AppError("dns", "The mail server's name has no address.")
    return AppError("connection", f"The connection to the mail server failed ({type(error).__name__}).")


def _refused(code: int, message: str) -> AppError:
    return AppError("email.refused" if 500 <= code < 600 else "email.temporary", message)
