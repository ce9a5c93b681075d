"""What checks look at besides headers: the small twin's files, and single detectors without their signature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from qa.drp.algorithms.isr import Calibrations, remove_signature
from qa.drp.ingest import read_ingested
from qa.drp.raw import RawFile, describe_raw, read_raw
from qa.twins.manifest import read_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from qa.drp.image import MaskedImage, Raw
    from qa.twins.manifest import TwinManifest, TwinRaw

PLANES = ("bias", "dark", "flat", "defects", "crosstalk")


@dataclass(frozen=True)
class Twin:
    """The folder of a small twin, and what its manifest says."""

    folder: Path

    @cached_property
    def manifest(self) -> TwinManifest:
        """What lies in the folder."""
        return read_manifest(self.folder)

    @cached_property
    def raws(self) -> dict[str, RawFile]:
        """What the headers of the exposures of the sky tell, by path."""
        return {raw.path: describe_raw(self.folder / raw.path) for raw in self.manifest.raws}

    def read(self, raw: TwinRaw, detector: int) -> Raw:
        """Read one detector, pixels included."""
        return read_raw(self.folder / raw.path, detector=detector)

    def first_of_each_filter(self) -> dict[str, TwinRaw]:
        """Return one exposure in each filter."""
        found: dict[str, TwinRaw] = {}
        for raw in self.manifest.raws:
            found.setdefault(str(self.raws[raw.path].info.physical_filter), raw)
        return found


@dataclass(frozen=True)
class Calibrated:
    """A small twin whose repository has master calibrations."""

    twin: Twin
    repository: Path

    def known(self, raw: TwinRaw, detector: int) -> Calibrations:
        """Return the calibrations that the middleware finds for the date of an exposure."""
        from lsst.daf.butler import Butler  # noqa: PLC0415 - a second that only this needs

        facts = read_ingested(self.repository)
        data_id = {"instrument": facts.instrument, "exposure": raw.exposure, "detector": detector}
        found: dict[str, Any] = {}
        with Butler.from_config(str(self.repository), collections=f"{facts.instrument}/defaults") as butler:
            record = butler.registry.expandDataId(data_id)
            wanted = data_id | {"physical_filter": record["physical_filter"]}
            for name in PLANES:
                ref = butler.find_dataset(name, wanted, timespan=record.timespan)
                if ref is not None:
                    found[name] = butler.get(ref)
        return Calibrations(**found)

    def signature_removed(self, raw: TwinRaw, detector: int) -> MaskedImage:
        """Return one detector in electrons."""
        known = self.known(raw, detector)
        return remove_signature(self.twin.read(raw, detector), known, dark_time=self.seconds(raw))

    def seconds(self, raw: TwinRaw) -> float:
        """Return how long an exposure gathered dark current (s)."""
        info = self.twin.raws[raw.path].info
        return float((info.exposure_time if info.dark_time is None else info.dark_time).to_value("s"))
