"""Which cameras are sponsored, by whom, with which data."""
