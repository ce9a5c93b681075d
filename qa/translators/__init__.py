"""Header translators of cameras that astro-metadata-translator does not bring; importing this makes them known."""

from qa.translators.lsst import LatissTranslator, LsstCamTranslator

__all__ = ["LatissTranslator", "LsstCamTranslator"]
