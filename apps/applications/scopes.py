"""The scopes an application may hold, and what each lets it do."""

from collections.abc import Iterable

SCOPES: dict[str, str] = {
    "schema": "Create, replace and remove the data schema",
    "schema.read": "Read the data schema",
    "record": "Insert, update, remove, move and queue records",
    "record.read": "Read and search records",
    "record.delete": "Remove records",
    "flowdiagram": "Publish, pause, resume and stop flows",
    "flowdiagram.read": "Read flow diagrams",
    "webhook": "Manage webhook events",
    "keystore": "Write keys of keystores",
    "keystore.read": "Read and search keystores",
    "tables": "Insert, change and remove rows of tables",
    "tables.read": "Read and search tables",
    "batch": "Run batches of records",
}


def expand(granted: Iterable[str]) -> frozenset[str]:
    """The granted scopes with all they imply: ``x`` implies ``x.read``, and ``record`` also ``record.delete``."""
    names = set(granted) & SCOPES.keys()
    return frozenset(names | {name for name in SCOPES if "." in name and name.partition(".")[0] in names})
