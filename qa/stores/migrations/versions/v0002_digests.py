"""Runs carry a digest and their host, counts may exceed 32 bits, and the series of one metric are found by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the change."""
    op.add_column("runs", sa.Column("host", sa.String))
    op.add_column("runs", sa.Column("digest", sa.String))
    op.create_index("results_by_metric", "results", ["metric", "camera"])
    if op.get_context().dialect.name != "sqlite":  # whose integers have 64 bits
        op.alter_column("results", "n", type_=sa.BigInteger)
