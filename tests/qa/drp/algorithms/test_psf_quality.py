from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.moments import Moments
from qa.drp.algorithms.psf import PsfModel, fit_psf
from qa.drp.algorithms.psf_quality import psf_residuals

pytestmark = pytest.mark.pipeline

SHAPE = (1000, 1200)


def stars(count: int, *, scatter: float = 0.0, seed: int = 1) -> Moments:
    """Make round stars of sigma 2 px with S/N 300, their sizes and ellipticities scattered."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(50, 1100, count), rng.uniform(50, 950, count)
    total = 8.0 * np.exp(rng.normal(0, 2 * scatter, count))
    e1, e2 = rng.normal(0, scatter, (2, count))
    ok, error = np.ones(count, dtype=bool), np.full(count, 0.01)
    moments = total * (1 + e1) / 2, total * (1 - e1) / 2, total * e2 / 2
    return Moments(x, y, *moments, error, error, np.full(count, 300.0), ok, ~ok)


def test_a_model_that_fits_has_no_residual() -> None:
    """Stars just as the model draws them have residuals of a thousandth at most."""
    found = stars(50)
    model, chosen = fit_psf(found, np.ones(50, dtype=bool), shape=SHAPE)
    facts = psf_residuals(model, found, chosen)
    assert set(facts) == {"PSFDSIZE", "PSFSSIZE", "PSFDE"}
    assert all(abs(value) < 1e-3 for value in facts.values())
    assert all(type(value) is float for value in facts.values())


def test_a_model_that_is_too_large_says_so() -> None:
    """A model wider by 1% is 2% larger in T = xx + yy."""
    found = stars(50)
    model, chosen = fit_psf(found, np.ones(50, dtype=bool), shape=SHAPE)
    wide = replace(model, coefficients=model.coefficients + np.array([[0.01], [0.0], [0.0]]) * np.eye(1, 6))
    assert psf_residuals(wide, found, chosen)["PSFDSIZE"] == pytest.approx(0.0202, abs=1e-3)


def test_stars_are_held_out() -> None:
    """With few stars per term the residuals are larger than those of the fit, and as large as those of new stars."""
    held, fresh = [], []
    for seed in range(40):
        found, new = stars(26, scatter=0.01, seed=seed), stars(200, scatter=0.01, seed=1000 + seed)
        model, chosen = fit_psf(found, np.ones(26, dtype=bool), shape=SHAPE)
        held.append(psf_residuals(model, found, chosen)["PSFDE"])
        fresh.append(psf_residuals(model, new, np.ones(200, dtype=bool))["PSFDE"])
    assert np.mean(held) == pytest.approx(np.mean(fresh), rel=0.15)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_stars_judge_nothing(count: int) -> None:
    """Without three stars besides those that hold the model nothing is said."""
    found = stars(count)
    model, chosen = fit_psf(found, np.ones(count, dtype=bool), shape=SHAPE)
    assert psf_residuals(model, found, chosen) == {}


def test_faint_stars_do_not_judge() -> None:
    """Stars below an S/N of 50 are noisier than what is looked for."""
    found = replace(stars(30), snr=np.full(30, 40.0))
    model, chosen = fit_psf(found, np.ones(30, dtype=bool), shape=SHAPE)
    assert isinstance(model, PsfModel)
    assert psf_residuals(model, found, chosen) == {}
