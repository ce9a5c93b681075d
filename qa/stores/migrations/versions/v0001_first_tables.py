"""The tables as they were before they had a revision; versions before that lacked the last of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables that are missing."""
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("started", sa.DateTime, nullable=False),
        sa.Column("finished", sa.DateTime),
        sa.Column("exit_code", sa.Integer),
        if_not_exists=True,
    )
    op.create_table(
        "camera_runs",
        _run(),
        sa.Column("camera", sa.String, primary_key=True),
        sa.Column("completed", sa.Integer, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("coadds_measured", sa.DateTime),
        if_not_exists=True,
    )
    op.create_table(
        "results",
        _run(),
        *_series(),
        sa.Column("value", sa.Float),
        sa.Column("unit", sa.String),
        sa.Column("n", sa.Integer),
        sa.Column("stderr", sa.Float),
        sa.Column("reason", sa.String),
        if_not_exists=True,
    )
    op.create_table(
        "epochs",
        _run(),
        sa.Column("camera", sa.String, primary_key=True),
        sa.Column("dataset", sa.String, primary_key=True),
        sa.Column("resources", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "detector_states",
        *_series(),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("started", sa.DateTime, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text, nullable=False),
        if_not_exists=True,
    )


def _run() -> sa.Column[str]:
    return sa.Column("run_id", sa.String, sa.ForeignKey("runs.run_id"), primary_key=True)


def _series() -> list[sa.Column[object]]:
    names = ("metric", "camera", "dataset", "band", "tract", "task")
    return [
        sa.Column(name, sa.Integer if name == "tract" else sa.String, primary_key=True, autoincrement=False)
        for name in names
    ]
