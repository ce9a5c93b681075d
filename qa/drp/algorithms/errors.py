"""What the algorithms refuse to do, and why.

ObsqaError
  AlgorithmError
    UnusableImageError    an image, or a calibration of it, has nothing to work with
    CalibrationError      a tract cannot be tied to the sky
"""

from __future__ import annotations

from qa.errors import ObsqaError


class AlgorithmError(ObsqaError):
    """An algorithm was given data it cannot work with."""

    def __init__(self, *, what: str, required: str, found: str) -> None:
        self.what, self.required, self.found = what, required, found
        super().__init__(f"{what}: must have {required}, found {found}")

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from another process."""
        return _rebuild, (type(self), self.what, self.required, self.found)


class UnusableImageError(AlgorithmError):
    """An image has nothing to work with."""


class CalibrationError(AlgorithmError):
    """A tract cannot be tied to the sky."""


def _rebuild(kind: type[AlgorithmError], what: str, required: str, found: str) -> AlgorithmError:
    return kind(what=what, required=required, found=found)
