"""Archives that rerun the smallest data which show one value of a run, elsewhere, in one command."""
