"""Where a change came from: the algorithm unless the evidence says otherwise. Pure."""

from qa.blame.attribution import attribute
from qa.blame.model import CameraFacts, Facts, Rerun, Run, Trial, Window
from qa.blame.windows import windows

__all__ = ["CameraFacts", "Facts", "Rerun", "Run", "Trial", "Window", "attribute", "windows"]
