"""The table that the tests read and write: one column of every type."""

from typing import Any

import pytest

from apps.tables import structure
from apps.tables.models import Kind, Table
from tests.conftest import Tenant

COLUMNS = {
    "username": Kind.TEXT,
    "age": Kind.INTEGER,
    "balance": Kind.DECIMAL,
    "active": Kind.BOOLEAN,
    "born": Kind.DATE,
    "seen": Kind.DATETIME,
    "extra": Kind.JSON,
}


def make_table(tenant: Tenant, name: str = "people", /, **columns: Any) -> Table:
    """A table with those columns (name: type, or options of ``add_column``), or else one of every type."""
    table = structure.create_table(tenant.caller, name=name)
    for column, options in (columns or COLUMNS).items():
        options = options if isinstance(options, dict) else {"kind": options}
        structure.add_column(tenant.caller, table, name=column, **options)
    return table


@pytest.fixture
def people(acme: Tenant) -> Table:
    """Acme's table ``people``, empty."""
    return make_table(acme)
