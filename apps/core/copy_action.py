"""What a copy between workspaces does with what is there already."""

from enum import StrEnum


class CopyAction(StrEnum):
    """The words of the API; keys, row ids and slugs tell which rows are the same."""

    INSERT = "insert"  # they stay as they are
    UPSERT = "insert or update"  # they become what the source has
    REPLACE = "delete and insert"  # all of them go first
