"""What a person asks for, as data: the options of a command, the graph that they mean, and JSON to build it again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import typer

from experiments.cli.foreign import ForeignOptions

if TYPE_CHECKING:
    from experiments.experiment import Experiment
    from experiments.scale import Scale
    from experiments.setups import Setup
    from pipeline.stage import Stage
    from stages.graphs import Evaluation, Placement
    from stages.table import Table

GpusOption = Annotated[
    int | None, typer.Option(min=0, help="GPUs for all of it, 0: CPU; those of this machine by default.")
]
Numbers = Literal["voc07", "voc12", "ilsvrc", "coco"]
ProtocolOption = Annotated[
    Numbers,
    typer.Option(
        help="voc07: mean over 11 recalls; voc12: area below the curve; ilsvrc: as voc12, but small objects may be "
        "missed by some pixels; coco: the twelve numbers of COCO."
    ),
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Refuse a data set with a defect.")]
MAP = "voc07/mAP"


@dataclass(frozen=True, kw_only=True)
class Request(ABC):
    """A graph that can be asked for."""

    command: ClassVar[str]
    gpus: GpusOption = None

    @property
    @abstractmethod
    def name(self) -> str:
        """Of the MLflow experiment."""

    @abstractmethod
    def placement(self) -> Placement:
        """Where its stages run. PipelineError when that cannot be told."""

    @abstractmethod
    def target(self, placement: Placement) -> Stage:
        """The stage whose result is asked for. PipelineError for anything unknown or missing."""

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        """That stage first, and what is asked for beside it."""
        return (self.target(placement),)

    def to_json(self) -> dict[str, Any]:
        return {"command": self.command, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class OnSetup(Request):
    """Options that change a setup."""

    data: Annotated[
        str, typer.Option(metavar="DIR", help="Data set of your own, in any layout, instead of that of the recipe.")
    ] = ""
    train_split: Annotated[str, typer.Option(help="Split of --data to train on; trainval or train by default.")] = ""
    test_split: Annotated[str, typer.Option(help="Split of --data to test on; test or val by default.")] = ""
    strict: StrictOption = False
    settings: Annotated[
        list[str] | None, typer.Option("-s", "--set", metavar="FIELD=VALUE", help="Change a setting of the training.")
    ] = None

    def adjusted(self, setup: Setup) -> Setup:
        """The setup with these options applied."""
        from experiments.setups import on_data
        from pipeline.errors import PipelineError
        from pipeline.overrides import override

        if self.data:
            setup = on_data(setup, self.data, train_split=self.train_split, test_split=self.test_split)
        elif self.train_split or self.test_split:
            raise PipelineError("--train-split and --test-split name splits of a data set: name it with --data DIR")
        return replace(setup, strict=self.strict, settings=override(setup.settings, self.settings or (), root="recipe"))


@dataclass(frozen=True, kw_only=True)
class ExperimentRequest(OnSetup):
    """`run`, `plan`, `compare`, `why`: an experiment at some scale."""

    command: ClassVar[str] = "run"
    experiment: Annotated[
        str,
        typer.Argument(
            help="Name (see `ssdpipe list`), table1 to table7, all, or a file of your own.", show_default=False
        ),
    ] = ""
    preset: Annotated[Literal["full", "short", "tiny", "narrow"], typer.Option(help="Scale of the experiment.")] = (
        "full"
    )
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each row.")] = 1
    column: Annotated[str, typer.Option(help="Only the rows of one column of the table, such as yes.")] = ""
    gpus_per_training: Annotated[int, typer.Option(min=1, help="Workers of one training, when there are GPUs.")] = 1

    @property
    def name(self) -> str:
        return Path(self.experiment).stem  # of a user's file

    def to_json(self) -> dict[str, Any]:
        """With the whole path of a user's file, so that the command can be given again from elsewhere."""
        from experiments.experiment import names_a_file

        path = str(Path(self.experiment).expanduser().resolve())
        return super().to_json() | ({"experiment": path} if names_a_file(self.experiment) else {})

    def placement(self) -> Placement:
        from experiments.cli.placing import place

        return place(gpus=self.gpus, gpus_per_training=self.gpus_per_training)

    def target(self, placement: Placement) -> Table:
        return self.members()[0].found().table(self.scale(placement), seeds=self.seeds, column=self.column)

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        """The tables of all members, each with the figures after it."""
        found = [member.found() for member in self.members()]
        scale = self.scale(placement)
        stages = (stage for each in found for stage in each.targets(scale, seeds=self.seeds, column=self.column))
        return tuple(dict.fromkeys(stages))

    def members(self) -> tuple[ExperimentRequest, ...]:
        """One request for each experiment that the name means."""
        from experiments.groups import members

        return tuple(replace(self, experiment=name) for name in members(self.experiment))

    def found(self) -> Experiment:
        """PipelineError when there is no such experiment, or it cannot be put on one data set of the user's."""
        from experiments.experiment import load_experiment
        from pipeline.errors import PipelineError

        experiment = load_experiment(self.experiment)
        mixes = sorted({row.run.data for row in experiment.rows if row.run})
        if self.data and len(mixes) > 1:
            raise PipelineError(
                f"{experiment.name} compares training sets ({', '.join(mixes)}): --data would put all on one"
            )
        return experiment

    def scale(self, placement: Placement) -> Scale:
        from experiments.scale import Scale

        return Scale(preset=self.preset, adjust=self.adjusted, placement=placement)


@dataclass(frozen=True, kw_only=True)
class TrainRequest(OnSetup):
    """`train`: one recipe."""

    command: ClassVar[str] = "train"
    recipe: Annotated[str, typer.Argument(help="Name, see `ssdpipe recipe list`.")] = "ssd300-voc0712"
    workers: Annotated[int, typer.Option(min=1, help="CPU workers, where no GPU is used.")] = 1
    validation_split: Annotated[
        str, typer.Option(help="Score the checkpoints kept by -s keep_every=N on this split of the data set.")
    ] = ""
    init: Annotated[
        str, typer.Option(metavar="imagenet|scratch|FILE", help="First weights; the recipe's by default.")
    ] = ""

    @property
    def name(self) -> str:
        return self.recipe

    def placement(self) -> Placement:
        from experiments.cli.placing import place_one

        return place_one(gpus=self.gpus, cpu_workers=self.workers)

    def target(self, placement: Placement) -> Evaluation:
        return self._evaluated(self._setup(placement), placement)

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        from experiments.validation import validation_of

        if not self.validation_split:
            return (self.target(placement),)
        setup = self._setup(placement)
        evaluation = self._evaluated(setup, placement)
        return evaluation, validation_of(evaluation, setup, split=self.validation_split, placement=placement)

    def _setup(self, placement: Placement) -> Setup:
        from experiments.recipes import named_recipe
        from experiments.scale import Scale
        from experiments.setups import starting_from

        recipe = named_recipe(self.recipe)
        setup = Scale(preset=recipe.preset, adjust=self.adjusted, placement=placement).setup(recipe.run)
        return starting_from(setup, self.init) if self.init else setup

    def _evaluated(self, setup: Setup, placement: Placement) -> Evaluation:
        from stages.graphs import evaluated

        return evaluated(
            setup.recipe(),
            test=setup.test_shards(),
            variant=self.recipe,
            tags=(("variant", self.recipe),),
            placement=placement,
            protocol=setup.protocol,
        )


@dataclass(frozen=True, kw_only=True)
class EvaluateRequest(ForeignOptions, Request):
    """`evaluate weights`: a file of weights on a split."""

    command: ClassVar[str] = "evaluate"
    weights: Annotated[str, typer.Argument(metavar="FILE", help="Weights of ssdpipe or of another program.")]
    data: Annotated[str, typer.Option(envvar="SSDPIPE_DATA", metavar="DIR", help="Data set in any layout.")] = ""
    split: Annotated[str, typer.Option(help="List of images in ImageSets/Main.")] = "test"
    strict: StrictOption = False
    protocol: ProtocolOption = "voc07"
    limits: Annotated[
        list[str] | None,
        typer.Option("-s", "--set", metavar="FIELD=VALUE", help="Change a limit of the detections, such as clip=true."),
    ] = None

    @property
    def name(self) -> str:
        return "evaluate"

    def placement(self) -> Placement:
        from experiments.cli.placing import place_one

        return place_one(gpus=self.gpus, cpu_workers=1)

    def target(self, placement: Placement) -> Stage:
        from experiments.scoring import weights_on_split
        from pipeline.overrides import override
        from ssd_core.detection_limits import PAPER_LIMITS

        return weights_on_split(
            self.weights,
            root=self.data,
            split=self.split,
            strict=self.strict,
            placement=placement,
            protocol="voc" if self.protocol == "voc07" or self.protocol == "voc12" else self.protocol,
            choices=self.choices(),
            limits=override(PAPER_LIMITS, self.limits or ()),
        )


@dataclass(frozen=True, kw_only=True)
class SubmissionRequest(Request):
    """`submission`: an archive for the server of a benchmark."""

    command: ClassVar[str] = "submission"
    benchmark: Annotated[Literal["voc2012", "coco-testdev"], typer.Argument(help="Whose server takes it.")]
    data: Annotated[
        str,
        typer.Option(envvar="SSDPIPE_DATA", metavar="DIR", help="Folder of the images, in the layout of VOC or COCO."),
    ] = ""
    weights: Annotated[str, typer.Option(metavar="FILE", help="Detect with these weights of ssdpipe.")] = ""
    split: Annotated[str, typer.Option(help="List of images; the official one by default.")] = ""
    proxy: Annotated[
        bool, typer.Option("--proxy", help="Allow other images than the official ones, to try the way.")
    ] = False

    @property
    def name(self) -> str:
        return "submission"

    def placement(self) -> Placement:
        from experiments.cli.placing import place_one

        return place_one(gpus=self.gpus, cpu_workers=1)

    def target(self, placement: Placement) -> Stage:
        from experiments.submitting import submission_of

        return submission_of(
            self.weights, self.benchmark, root=self.data, split=self.split, proxy=self.proxy, placement=placement
        )


@dataclass(frozen=True, kw_only=True)
class ShardRequest(Request):
    """`data shard`: a data set as Parquet shards."""

    command: ClassVar[str] = "shard"
    data: Annotated[str, typer.Argument(metavar="DIR", help="Data set in the layout of VOC, COCO or ILSVRC, or a CSV.")]
    split: Annotated[str, typer.Option(help="Which of its splits; trainval or train by default.")] = ""
    layout: Annotated[str, typer.Option(metavar="voc|coco|ilsvrc|csv", help="Recognised from the folder.")] = ""
    classes: Annotated[str, typer.Option(help="Class names, with commas; those found, sorted, by default.")] = ""
    strict: StrictOption = False

    @property
    def name(self) -> str:
        return "data"

    def placement(self) -> Placement:
        from stages.graphs import Placement

        return Placement()

    def target(self, placement: Placement) -> Stage:  # noqa: ARG002 (sharding takes what CPUs there are)
        from stages.layouts import TRAINING, find_data_set
        from stages.shard import Shard

        found = find_data_set(self.data, self.layout)
        split = self.split or found.usual(TRAINING)
        return Shard(
            sources=(found.source(split),),
            classes=tuple(name.strip() for name in self.classes.split(",") if name.strip()),
            strict=self.strict,
            variant=f"{found.name}-{split}",
        )


KINDS: tuple[type[Request], ...] = (ExperimentRequest, TrainRequest, EvaluateRequest, SubmissionRequest, ShardRequest)


def request_from(recorded: dict[str, Any]) -> Request:
    """The request that `to_json` wrote; options of a later version are left out."""
    kind = next(kind for kind in KINDS if kind.command == recorded["command"])
    return kind(**{item.name: recorded[item.name] for item in fields(kind) if item.name in recorded})
