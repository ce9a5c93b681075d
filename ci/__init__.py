"""The shell of obsqa: command line, lanes and wiring."""
