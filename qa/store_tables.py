"""The tables of the history; `qa.store` reads and writes them."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Float, ForeignKey, Integer, MetaData, String, Table, Text

TABLES = MetaData()
RUNS = Table(
    "runs",
    TABLES,
    Column("run_id", String, primary_key=True),
    Column("lane", String, nullable=False),
    Column("started", DateTime, nullable=False),
    Column("finished", DateTime),
    Column("exit_code", Integer),
)
CAMERAS = Table(
    "camera_runs",
    TABLES,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("camera", String, primary_key=True),
    Column("completed", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("coadds_measured", DateTime),
)
RESULTS = Table(
    "results",
    TABLES,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("metric", String, primary_key=True),
    Column("camera", String, primary_key=True),
    Column("dataset", String, primary_key=True),
    # Absent parts of a scope are '' and -1: NULL is equal to nothing and would let doubles in.
    Column("band", String, primary_key=True),
    Column("tract", Integer, primary_key=True),
    Column("task", String, primary_key=True),
    Column("value", Float),
    Column("unit", String),
    Column("n", Integer),
    Column("stderr", Float),
    Column("reason", String),
)
EPOCHS = Table(
    "epochs",
    TABLES,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("camera", String, primary_key=True),
    Column("dataset", String, primary_key=True),
    # Whether metrics of what the processing costs are meant: they depend on the machine as well.
    Column("resources", Integer, primary_key=True),
    Column("epoch", String, nullable=False),
)
STATES = Table(
    "detector_states",
    TABLES,
    Column("metric", String, primary_key=True),
    Column("camera", String, primary_key=True),
    Column("dataset", String, primary_key=True),
    Column("band", String, primary_key=True),
    Column("tract", Integer, primary_key=True),
    Column("task", String, primary_key=True),
    Column("run_id", String, nullable=False),
    Column("started", DateTime, nullable=False),
    Column("before", Text),
    Column("after", Text, nullable=False),
)
