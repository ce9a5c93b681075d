"""Images in which obsqa runs: made of the environment that runs now, or by the Dockerfile beside this."""
