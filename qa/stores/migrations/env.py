"""What alembic runs: the migrations of the history, within the transaction of `qa.stores.schema`."""

from __future__ import annotations

from alembic import context

from qa.stores.tables import TABLES, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES,
    version_table=VERSION_TABLE,
    compare_type=True,
)
context.run_migrations()
