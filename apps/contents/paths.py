"""Paths of files: ``folder/name.html``, relative, with nothing in them that leads elsewhere."""

import unicodedata

LONGEST_PATH = 255
MOST_FOLDERS = 20
_FORBIDDEN = frozenset('\\:*?"<>|')


def normal(path: str) -> str:
    """The path with its accents composed, as browsers send them; archives of some systems have them apart."""
    return unicodedata.normalize("NFC", path)


def fault_of_path(path: str) -> str | None:
    """What keeps a text from being the path of a file, or nothing."""
    if not path or len(path) > LONGEST_PATH:
        return f"A path has 1 to {LONGEST_PATH} characters."
    if path.startswith("/"):
        return "A path is relative: it does not begin with a slash."
    if not path.isprintable() or not _FORBIDDEN.isdisjoint(path):
        return 'A path holds printable characters, and none of \\ : * ? " < > |'
    parts = path.split("/")
    if len(parts) > MOST_FOLDERS:
        return f"A path leads through {MOST_FOLDERS} folders at most."
    for part in parts:
        if part in ("", ".", ".."):
            return "A path has no empty part, and none that is . or .. itself."
        if part != part.strip() or part.endswith("."):
            return "No part of a path begins or ends with a space, or ends with a dot."
    return None
