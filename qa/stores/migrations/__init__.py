"""How the tables of the history changed from version to version, for alembic."""
