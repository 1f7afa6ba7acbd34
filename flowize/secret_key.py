"""The secret key of an installation that was given none."""

import secrets
from pathlib import Path


def key_of(home: Path) -> str:
    """The one generated for this home: there is no default that two installations could share."""
    path = home / "secret_key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"secret_key.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        # A link never overwrites: of two processes starting at once, both read the key of the first.
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text()
