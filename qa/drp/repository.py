"""Creation of a Butler repository that knows the types of the embedded pipeline.

Storage classes and formatters are written into the repository itself, so that any Butler client, and
`pipetask` in particular, reads our data sets without further configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from lsst.daf.butler import Butler

# Storage class -> (Python type, formatter), by name: importing formatters means importing the Butler.
_STORAGE_CLASSES = {
    "RawExposure": ("qa.drp.image.Raw", "qa.drp.formatters.RawFormatter"),
    # `MaskedImage` is taken by afw, which the middleware names though it is not there.
    "ArrayMaskedImage": ("qa.drp.image.MaskedImage", "qa.drp.formatters.MaskedImageFormatter"),
    "PixelPlane": ("numpy.ndarray", "qa.drp.formatters.PlaneFormatter"),
    "TractSkyMap": ("qa.drp.skymap.SkyMap", "qa.drp.formatters.SkyMapFormatter"),
}

BIAS, DARK, FLAT, DEFECTS, CROSSTALK = "bias", "dark", "flat", "defects", "crosstalk"
RAW, SKY_MAP, REFERENCE_CATALOG, TRUTH_CATALOG = "raw", "sky_map", "reference_catalog", "truth_catalog"

# Data sets that processing starts from: name -> (dimensions, storage class, is a calibration).
_DATASET_TYPES: dict[str, tuple[tuple[str, ...], str, bool]] = {
    RAW: (("instrument", "exposure", "detector"), "RawExposure", False),
    BIAS: (("instrument", "detector"), "PixelPlane", True),
    DARK: (("instrument", "detector"), "PixelPlane", True),
    FLAT: (("instrument", "detector", "physical_filter"), "PixelPlane", True),
    DEFECTS: (("instrument", "detector"), "PixelPlane", True),
    CROSSTALK: (("instrument",), "PixelPlane", True),
    SKY_MAP: (("skymap",), "TractSkyMap", False),
    REFERENCE_CATALOG: (("htm7",), "ArrowAstropy", False),
    TRUTH_CATALOG: (("skymap", "tract"), "ArrowAstropy", False),
}


def configuration() -> dict[str, Any]:
    """Return what a repository's configuration adds to the defaults of the middleware."""
    formatters = {name: formatter for name, (_, formatter) in _STORAGE_CLASSES.items()}
    formatters["ArrowAstropy"] = "qa.drp.formatters.TableFormatter"
    storage_classes: dict[str, dict[str, Any]] = {
        name: {"pytype": pytype} for name, (pytype, _) in _STORAGE_CLASSES.items()
    }
    # Read a rectangle at a time, as coaddition does.
    storage_classes["ImageCutouts"] = {"pytype": "qa.drp.crop.Cutouts"}
    storage_classes["ArrayMaskedImage"]["derivedComponents"] = {"cutouts": "ImageCutouts"}
    # Bundles of metrics leave the pipeline as JSON, as analysis_tools writes them.
    formatters["metrics"] = "lsst.daf.butler.formatters.json.JsonFormatter"
    return {
        "storageClasses": storage_classes,
        "datastore": {"formatters": formatters},
    }


def create(root: Path) -> None:
    """Create an empty repository in the folder `root`, which must not hold one already.

    Raises
    ------
    FileExistsError
        If there is a repository.
    """
    from lsst.daf.butler import Butler, Config  # noqa: PLC0415 - importing the Butler costs a second

    Butler.makeRepo(str(root), config=Config(configuration()))
    with Butler.from_config(str(root), writeable=True) as butler:
        register_dataset_types(butler)


def register_dataset_types(butler: Butler) -> None:
    """Register the data sets that processing starts from."""
    from lsst.daf.butler import DatasetType  # noqa: PLC0415

    for name, (dimensions, storage_class, is_calibration) in _DATASET_TYPES.items():
        kind = DatasetType(name, dimensions, storage_class, universe=butler.dimensions, isCalibration=is_calibration)
        butler.registry.registerDatasetType(kind)
