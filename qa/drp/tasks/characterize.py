# mypy: disable-error-code="misc,untyped-decorator,call-arg"
# (the middleware is untyped for us: its classes and decorators are Any)
"""Background, detection, PSF and measurement of one detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base.connectionTypes import Input, Output
from lsst.utils.timer import timeMethod

from qa.drp.algorithms.characterize import characterize
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.tasks.base import reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qa.drp.image import MaskedImage


class CharacterizeConnections(PipelineTaskConnections, dimensions=("instrument", "visit", "detector")):
    """From the detector of an exposure to the image and sources of a visit."""

    post_isr = Input(
        doc="Detector without its signature, electron; a visit has one exposure.",
        name="post_isr",
        storageClass="ArrayMaskedImage",
        dimensions=("instrument", "exposure", "detector"),
        multiple=True,
    )
    calexp = Output(
        doc="Background-subtracted image, electron, with detections and cosmic rays in the mask.",
        name="calexp",
        storageClass="ArrayMaskedImage",
        dimensions=("instrument", "visit", "detector"),
    )
    src = Output(
        doc="Sources with positions, fluxes and shapes; its meta holds sky, PSF and the crude WCS.",
        name="src",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "visit", "detector"),
    )


class CharacterizeConfig(PipelineTaskConfig, pipelineConnections=CharacterizeConnections):
    """Nothing to configure."""


class CharacterizeTask(PipelineTask):
    """Background, detection, PSF, measurement."""

    ConfigClass = CharacterizeConfig
    _DefaultName = "characterize"

    @timeMethod
    def run(self, post_isr: Sequence[MaskedImage]) -> Struct:
        """Characterize the one exposure of a visit.

        Raises
        ------
        UnprocessableDataError
            If no pixel of the detector is usable.
        """
        (exposure,) = post_isr
        try:
            found = characterize(exposure)
        except UnusableImageError as error:
            reject(self, error)
        return Struct(calexp=found.image, src=found.sources)
