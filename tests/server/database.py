"""A PostgreSQL database of the shipped installation's own, beside those of the other tests."""

from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from flowize import postgres


class Database:
    """The database ``name`` on the server of ``server_url``; the tests look into it past the product."""

    def __init__(self, server_url: str, name: str) -> None:
        self.name = name
        self.url = urlsplit(server_url)._replace(path=f"/{name}").geturl()
        self._server = make_conninfo(postgres.conninfo(server_url), dbname="postgres")

    def create(self) -> None:
        """Make it, empty, in place of one that an interrupted run left."""
        self.drop()
        self._administer("CREATE DATABASE {}")

    def drop(self) -> None:
        """Remove it, whoever is still connected."""
        self._administer("DROP DATABASE IF EXISTS {} WITH (FORCE)")

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query, or none of a statement that has none."""
        with psycopg.connect(postgres.conninfo(self.url)) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def end_connections(self) -> int:
        """End every connection to it as a restart of the server does; returns how many there were."""
        with psycopg.connect(self._server, autocommit=True) as connection:
            return connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", [self.name]
            ).fetchall()[0][0]

    def allow_connections(self, allowed: bool) -> None:
        """Whether anybody may connect; who is connected stays so."""
        self._administer(f"ALTER DATABASE {{}} ALLOW_CONNECTIONS {str(allowed).lower()}")

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(self.name)))
