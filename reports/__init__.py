"""From comparisons to pages, plots, JUnit and text."""
