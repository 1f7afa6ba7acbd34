"""Mail by SMTP, within one deadline and to all of its recipients or none; and no mail where none is configured."""

import smtplib
import time
from collections.abc import Sequence
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

_ACCEPTED = (250, 251)


class MailNotConfigured(Exception):
    """The installation has no way to send mail."""


class NoMail(BaseEmailBackend):
    """Refuses, so that nobody believes a mail was sent."""

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        """Raise MailNotConfigured."""
        raise MailNotConfigured("This installation sends no mail: EMAIL_URL is not set.")


class Backend(EmailBackend):
    """Django's, whose ``timeout`` in seconds is a deadline for the whole conversation."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """As the setting of TLS says."""
        return _TLSConversation if self.use_ssl else _Conversation

    def open(self) -> bool | None:
        """As Django does, leaving no connection open that could not be used."""
        try:
            return super().open()
        except BaseException:
            self.close()
            raise


class _Bounded(smtplib.SMTP):
    _end = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._end = time.monotonic() + kwargs["timeout"]
        super().__init__(*args, **kwargs)

    def _limit(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            self.close()
            raise TimeoutError
        if self.sock:
            self.sock.settimeout(left)

    def send(self, s: Any) -> None:
        """Within what is left of the time."""
        self._limit()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Within what is left of the time; raises TimeoutError, which the library hides."""
        self._limit()
        try:
            return super().getreply()
        except smtplib.SMTPServerDisconnected as error:
            if isinstance(error.__context__, TimeoutError):
                raise TimeoutError from None
            raise

    def sendmail(
        self,
        from_addr: str,
        to_addrs: str | Sequence[str],
        msg: Any,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Send to everybody or to nobody; the library would leave out silently whom the server refuses."""
        self.ehlo_or_helo_if_needed()
        size = [f"size={len(msg)}"] if self.does_esmtp and self.has_extn("size") else []
        code, text = self.mail(from_addr, [*mail_options, *size])
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, text, from_addr)
        replies = {recipient: self.rcpt(recipient, rcpt_options) for recipient in to_addrs}
        refused = {recipient: reply for recipient, reply in replies.items() if reply[0] not in _ACCEPTED}
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)
        code, text = self.data(msg)
        if code != 250:
            raise smtplib.SMTPDataError(code, text)
        return {}


class _Conversation(_Bounded):
    pass


class _TLSConversation(_Bounded, smtplib.SMTP_SSL):
    pass
