"""The benchmarks are not part of the wheel: they are found in the checkout, behind everything that is installed."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))
