"""The tables of the history as this version of obsqa knows them; `qa.stores.migrations` leads there from older ones."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

HEAD = "0002"
"""The revision of these tables."""

VERSION_TABLE = "obsqa_version"
"""Where a database says of which revision its tables are."""

TABLES = MetaData()
RUNS = Table(
    "runs",
    TABLES,
    Column("run_id", String, primary_key=True),
    Column("lane", String, nullable=False),
    Column("started", DateTime, nullable=False),
    Column("finished", DateTime),
    Column("exit_code", Integer),
    # Where the run took place; '' when that was not recorded.
    Column("host", String),
    # Digest of all rows of the run, so that what is missing or damaged can be told; none in rows of old versions.
    Column("digest", String),
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
    # Pairs of stars are counted in thousands of millions.
    Column("n", BigInteger().with_variant(Integer, "sqlite")),
    Column("stderr", Float),
    Column("reason", String),
)
BY_METRIC = Index("results_by_metric", RESULTS.c.metric, RESULTS.c.camera)
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
