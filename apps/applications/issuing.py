"""Access and refresh tokens: issued once, kept as hashes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken, set_token_value

from apps.applications.caller import Caller
from apps.applications.models import RefreshToken
from apps.core import tokens
from apps.core.errors import WrongCredentials


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """Tokens in the clear, for this one answer; ``expires`` is when the access token ends."""

    access_token: str
    expires: datetime
    refresh_token: str = ""

    @property
    def expires_epoch(self) -> int:
        """The end of the access token in seconds since 1970."""
        return int(self.expires.timestamp())


def issue_tokens(caller: Caller) -> IssuedTokens:
    """A fresh access token with the caller's scopes, and a refresh token that buys more of them."""
    refresh = tokens.new_secret()
    with transaction.atomic():
        access, expires = _issue_access_token(caller)
        RefreshToken.objects.create(
            application_id=_application(caller), token_hash=tokens.digest(refresh), prefix=tokens.prefix(refresh)
        )
    return IssuedTokens(access, expires, refresh)


def refresh_access_token(caller: Caller, refresh_token: str) -> IssuedTokens:
    """Another access token for a refresh token of the same application; raises ``WrongCredentials`` for any other."""
    with transaction.atomic():
        used = RefreshToken.objects.filter(
            application_id=_application(caller), token_hash=tokens.digest(refresh_token), revoked_at=None
        ).update(last_used_at=timezone.now())
        if not used:
            raise WrongCredentials("The refresh token is not valid.")
        return IssuedTokens(*_issue_access_token(caller))


def revoke_tokens(application_id: int) -> None:
    """End every access and refresh token of an application."""
    AccessToken.objects.filter(application_id=application_id).delete()
    RefreshToken.objects.filter(application_id=application_id, revoked_at=None).update(revoked_at=timezone.now())


def _application(caller: Caller) -> int:
    """Tokens belong to an application; a caller without one has no business here."""
    if caller.application_id is None:
        raise WrongCredentials
    return caller.application_id


def _issue_access_token(caller: Caller) -> tuple[str, datetime]:
    token = tokens.new_secret()
    row = AccessToken(
        application_id=caller.application_id,
        expires=timezone.now() + timedelta(seconds=settings.TOKEN_SECONDS),
        scope=" ".join(sorted(caller.scopes)),
    )
    set_token_value(row, token)
    row.save(force_insert=True)
    return token, row.expires
