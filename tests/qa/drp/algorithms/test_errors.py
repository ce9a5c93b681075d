import pickle

from qa.drp.algorithms.errors import AlgorithmError, CalibrationError, UnusableImageError
from qa.errors import ObsqaError


def test_message_says_what_was_required_and_found() -> None:
    """An error names the thing, what it must have and what was found, in one line."""
    error = UnusableImageError(what="image", required="pixels", found="none")
    assert str(error) == "image: must have pixels, found none"
    assert isinstance(error, AlgorithmError)
    assert isinstance(error, ObsqaError)


def test_errors_survive_the_way_back_from_another_process() -> None:
    """An error keeps its class and its facts when it is pickled."""
    error = pickle.loads(pickle.dumps(CalibrationError(what="tract", required="stars", found="none")))  # noqa: S301
    assert type(error) is CalibrationError
    assert (error.what, error.required, error.found) == ("tract", "stars", "none")
