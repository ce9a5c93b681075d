"""What a camera can have processed: data sets of several kinds, each a model that refuses unknown keys."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails

from obs_registry.entry import FAULT, Count, Entry, Line, Name, Text, fault, refuse

EMBEDDED = "qa/drp/pipelines/drp.yaml"
"""The pipeline that comes with obsqa."""

Setting = Annotated[str, Field(strict=True)] | Annotated[bool, Field(strict=True)] | int | float
"""A value of a pipeline's configuration."""

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_GLOB = re.compile(r"[A-Za-z0-9_*?\[\]-]+")
_FIELD = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*|\[[\w'\"-]+\])*")


class Lane(StrEnum):
    """Which lane a data set belongs to."""

    COMMIT = "commit"
    NIGHTLY = "nightly"


class Dataset(Entry):
    """Data to process, of some kind; `bands` are those that results are owed in."""

    name: Name
    kind: str
    lane: Lane
    bands: Annotated[tuple[Text, ...], Field(min_length=1)]
    pipeline: Text


class Twin(Dataset):
    """A simulated twin of the camera, drawn from a sky recipe."""

    kind: Literal["twin"]
    sky: Name
    pipeline: Text = EMBEDDED


class OwnRaws(Dataset):
    """A user's own raws, named on the command line and never in a camera's file; there is no truth of them."""

    kind: Literal["raws"] = "raws"
    lane: Lane = Lane.NIGHTLY
    pipeline: Text = EMBEDDED
    sky: Name = "real"
    reference: bool
    """Whether there is a reference catalogue."""


def _are_fields(config: dict[str, dict[str, Setting]]) -> dict[str, dict[str, Setting]]:
    required = "the name of a configuration field, such as measure.sigma"
    wrong = [(label, one) for label, fields in config.items() for one in fields if not _FIELD.fullmatch(one)]
    refuse("config", [fault(required, repr(one), label, one) for label, one in wrong])
    return config


Config = Annotated[dict[Line, dict[Line, Setting]], AfterValidator(_are_fields)]
"""Values of a pipeline's configuration, by task label and field."""


class PipelineStep(Entry):
    """A labelled subset of a pipeline, run for itself after those before it; `query` replaces the data set's own.

    `config` is that of its tasks. `processes` is the most that may share the work: some tasks stand no more than one.
    """

    subset: Line
    query: Line | None = None
    config: Config = Field(default_factory=dict)
    processes: Count | None = None


class Stored(Dataset):
    """What lies in a Butler repository that somebody else made, processed by somebody else's pipeline.

    `repository` and `pipeline` may name environment variables (`$DRP_PIPE_DIR/pipelines/HSC/DRP-ci_hsc.yaml#step1`),
    which are filled in where the data set is processed, after the set-up script. `steps` are subsets of the pipeline
    that are run one after another, instead of all of it at once. `collections` are the inputs; `query` is the data
    query of `pipetask run -d`. `config` has values by task label and field; with `steps`, each has its own. `bundles`
    are the dataset types, or patterns of their names, that hold bundles of measurements. `instrument` is the Python
    class whose overrides the pipeline takes. `output` is the head of the collections that hold what a night made.
    """

    kind: Literal["butler"]
    pipeline: Line
    steps: tuple[PipelineStep, ...] = ()
    repository: Line
    collections: Annotated[tuple[Line, ...], Field(min_length=1)]
    query: Line | None = None
    config: Config = Field(default_factory=dict)
    bundles: Annotated[tuple[Line, ...], Field(min_length=1)]
    instrument: Line | None = None
    output: Line = "u/obsqa"

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that repository, pipeline, collections and queries name."""
        queries = (self.query or "", *(step.query or "" for step in self.steps))
        texts = (self.repository, self.pipeline, *self.collections, *queries)
        return tuple(dict.fromkeys(found[1] or found[2] for text in texts for found in _VARIABLE.finditer(text)))

    @field_validator("steps")
    @classmethod
    def _are_of_one_pipeline(cls, steps: tuple[PipelineStep, ...], info: ValidationInfo) -> tuple[PipelineStep, ...]:
        pipeline, names = info.data.get("pipeline", ""), [step.subset for step in steps]
        if steps and "#" in pipeline:
            refuse(cls.__name__, [fault("no steps of a pipeline that names its subset", pipeline)])
        again = [place for place, name in enumerate(names) if name in names[:place]]
        required = "a subset that is no step before"
        refuse(cls.__name__, [fault(required, repr(names[place]), place, "subset") for place in again])
        return steps

    @field_validator("bundles")
    @classmethod
    def _are_dataset_types(cls, bundles: tuple[str, ...]) -> tuple[str, ...]:
        required = "the name of a dataset type, or a pattern with * or ?"
        wrong = [(place, one) for place, one in enumerate(bundles) if not _GLOB.fullmatch(one)]
        refuse(cls.__name__, [fault(required, repr(one), place) for place, one in wrong])
        return bundles

    @field_validator("config")
    @classmethod
    def _is_in_the_steps(cls, config: Config, info: ValidationInfo) -> Config:
        if config and info.data.get("steps"):
            refuse(cls.__name__, [fault("no configuration beside that of the steps", "a mapping")])
        return config


class Limit(Entry):
    """What is asked of one metric of a suite, in its unit: a value it must not exceed, or one it must reach."""

    metric: Line
    at_most: Annotated[float, Field(allow_inf_nan=False, strict=True)] | None = None
    at_least: Annotated[float | None, Field(allow_inf_nan=False, strict=True, validate_default=True)] = None

    @field_validator("at_least")
    @classmethod
    def _is_one_of_two(cls, at_least: float | None, info: ValidationInfo) -> float | None:
        if "at_most" in info.data and (info.data["at_most"] is None) == (at_least is None):
            found = "neither" if at_least is None else "both"
            refuse(cls.__name__, [fault("one of at_most and at_least", found)])
        return at_least


class Suite(Dataset):
    """Tests of somebody else's, such as those of a service: a command that leaves JUnit XML or metrics in JSON.

    The command, an argument list that no shell reads, runs in an empty folder of the night's own, in which `results`
    are patterns of file names. `{source}` in an argument is the folder `source`, seen from the folder of the entry's
    file. No test may fail unless `limits` say how many may.
    """

    kind: Literal["suite"] = "suite"
    bands: Annotated[tuple[Text, ...], Field(max_length=0)] = ()
    pipeline: Literal["command"] = "command"
    command: Annotated[tuple[Line, ...], Field(min_length=1)]
    results: Annotated[tuple[Line, ...], Field(min_length=1)]
    source: Line | None = None
    limits: tuple[Limit, ...] = ()

    @field_validator("results")
    @classmethod
    def _stay_in_the_folder(cls, results: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [place for place, one in enumerate(results) if one.startswith("/") or ".." in one.split("/")]
        required = "a pattern of files in the command's own folder"
        refuse(cls.__name__, [fault(required, repr(results[place]), place) for place in wrong])
        return results


def _of_its_kind(value: object, choose: ValidatorFunctionWrapHandler) -> Twin | Stored | Suite:
    """Read a data set as what its `kind` says; faults are at the keys of the file, in which there is no union."""
    try:
        chosen: Twin | Stored | Suite = choose(value)
    except ValidationError as error:
        raise ValidationError.from_exception_data(error.title, [_in_file(one) for one in error.errors()]) from None
    return chosen


def _in_file(error: ErrorDetails) -> InitErrorDetails:
    context = error.get("ctx", {})
    match error["type"]:
        case "union_tag_invalid":
            known = ", ".join(tag.strip("'") for tag in context["expected_tags"].split(", "))
            return fault(f"one of {known}", repr(context["tag"]), "kind")
        case "union_tag_not_found":
            return InitErrorDetails(type="missing", loc=("kind",), input=error["input"])
        case "model_attributes_type":
            return InitErrorDetails(type="dict_type", loc=(), input=error["input"])
    place = error["loc"][1:]
    if error["type"] == FAULT:
        return fault(context["required"], context["found"], *place)
    return InitErrorDetails(type=error["type"], loc=place, input=error["input"], ctx=context)


AnyDataset = Annotated[Twin | Stored | Suite, Field(discriminator="kind"), WrapValidator(_of_its_kind)]
"""What a camera's file may name."""
