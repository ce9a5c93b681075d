"""Camera twins: simulated raw exposures in a camera's own layout and header cards, with known truth.

They are drawn from the recipes in `regression_data/skies`. They exercise the pipeline; they do not
claim to be the camera.
"""
