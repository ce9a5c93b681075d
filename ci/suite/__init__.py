"""The pytest suite of the commit lane, and the plugin by which a camera's own package runs it."""
