"""How each camera writes a raw exposure: one entry of `FORMS` per camera of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.errors import UnknownNameError
from qa.twins.forms import decam, hsc, lsst, megaprime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qa.twins.forms.base import Form

FORMS: Mapping[str, Form] = {
    "hsc": hsc.FORM,
    "decam": decam.FORM,
    "megaprime": megaprime.FORM,
    "lsstcam": lsst.LSSTCAM,
    "latiss": lsst.LATISS,
}


def form_of(camera: str) -> Form:
    """Find a camera's form.

    Raises
    ------
    UnknownNameError
        If no twin of that camera can be drawn.
    """
    if camera not in FORMS:
        raise UnknownNameError(kind="camera with a twin", name=camera, known=FORMS)
    return FORMS[camera]
