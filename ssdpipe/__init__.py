"""The public API, for your own files and notebooks: these names stay stable, whatever moves behind them.

    from ssdpipe import RUNS, Experiment, Row

The imports below are the list. Each is resolved when its name is first used, so that `import ssdpipe` loads neither
torch nor Ray. Keys of stages attribute a name to the module that defines it (`pipeline/keys/public_api.py`).

Tested in tests/ssdpipe/test_ssdpipe.py.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipeline.keys.public_api import home_modules

if TYPE_CHECKING:
    from experiments.framework.claims.claim import At as At
    from experiments.framework.claims.claim import AtLeast as AtLeast
    from experiments.framework.claims.claim import Claim as Claim
    from experiments.framework.claims.claim import Difference as Difference
    from experiments.framework.claims.claim import GainsMore as GainsMore
    from experiments.framework.claims.claim import Order as Order
    from experiments.framework.claims.claim import Ratio as Ratio
    from experiments.framework.claims.claim import Recorded as Recorded
    from experiments.framework.claims.claim import Trend as Trend
    from experiments.framework.detectors import load as load
    from experiments.framework.experiment import Experiment as Experiment
    from experiments.framework.experiment import Row as Row
    from experiments.framework.presets import Preset as Preset
    from experiments.framework.runs import RUNS as RUNS
    from experiments.framework.runs import Run as Run
    from experiments.framework.setups import Setup as Setup
    from experiments.framework.setups import on_data as on_data
    from experiments.framework.weight_files import read_weights as read_weights
    from pipeline.driver.in_process import run_in_process as run_in_process
    from pipeline.errors import PipelineError as PipelineError
    from pipeline.folder import Folder as Folder
    from pipeline.stage import Context as Context
    from pipeline.stage import Resources as Resources
    from pipeline.stage import Stage as Stage
    from pipeline.stage import execution as execution
    from ssd_core.backbones.backbone import Backbone as Backbone
    from ssd_core.backbones.backbone import MobileNetV3 as MobileNetV3
    from ssd_core.backbones.backbone import ResNet50 as ResNet50
    from ssd_core.backbones.backbone import Vgg16 as Vgg16
    from ssd_core.backbones.layers import Convolution as Convolution
    from ssd_core.backbones.layers import GroupNorm as GroupNorm
    from ssd_core.data.images import decode_rgb as decode_rgb
    from ssd_core.data.images import resize as resize
    from ssd_core.data.shards import ShardSet as ShardSet
    from ssd_core.detection.decoding import detect as detect
    from ssd_core.detection.limits import DetectionLimits as DetectionLimits
    from ssd_core.network.model import Detector as Detector
    from ssd_core.spec.augmentation import FLIP_AND_COLOUR as FLIP_AND_COLOUR
    from ssd_core.spec.augmentation import FLIP_ONLY as FLIP_ONLY
    from ssd_core.spec.augmentation import Augmentation as Augmentation
    from ssd_core.spec.detector import DetectorSpec as DetectorSpec
    from ssd_core.spec.paper import ssd300 as ssd300
    from ssd_core.spec.paper import ssd300_full_vgg as ssd300_full_vgg
    from ssd_core.spec.paper import ssd512 as ssd512
    from ssd_core.spec.paper import with_full_vgg as with_full_vgg
    from ssd_core.spec.paper import with_mobilenet_v3 as with_mobilenet_v3
    from ssd_core.spec.paper import with_resnet50 as with_resnet50
    from ssd_core.spec.recipe import Recipe as Recipe
    from ssd_core.spec.schedule import Schedule as Schedule
    from ssd_core.spec.tilings import Sized as Sized
    from ssd_core.spec.tilings import Stacked as Stacked
    from ssd_core.spec.tilings import tiled as tiled
    from ssd_core.spec.tilings import without_ratios as without_ratios
    from ssd_core.spec.tiny import ssd_tiny as ssd_tiny
    from ssd_core.spec.vocabularies import COCO_CLASSES as COCO_CLASSES
    from ssd_core.spec.vocabularies import VOC_CLASSES as VOC_CLASSES
    from ssd_core.weights.weights import Weights as Weights
    from stages.datasets.annotation import Naming as Naming
    from stages.datasets.coco.coco_folder import CocoFolder as CocoFolder
    from stages.datasets.csv_files.csv_boxes import CsvBoxes as CsvBoxes
    from stages.datasets.ilsvrc import IlsvrcDet as IlsvrcDet
    from stages.datasets.voc import VocFolder as VocFolder
    from stages.detection.detect import Detect as Detect
    from stages.drawn.draw import Draw as Draw
    from stages.evaluation.evaluate import Evaluate as Evaluate
    from stages.inference.image_detections import ImageDetections as ImageDetections
    from stages.inference.predictor import Predictor as Predictor
    from stages.placement import Placement as Placement
    from stages.shards.shard import Shard as Shard
    from stages.training.imagenet_mobilenet_v3 import ImageNetMobileNetV3 as ImageNetMobileNetV3
    from stages.training.imagenet_resnet50 import ImageNetResNet50 as ImageNetResNet50
    from stages.training.imagenet_vgg16 import ImageNetVgg16 as ImageNetVgg16
    from stages.training.initial import WeightsFile as WeightsFile
    from stages.training.train import Train as Train


def __getattr__(name: str) -> Any:
    if name not in home_modules():
        raise AttributeError(f"module 'ssdpipe' has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(home_modules()[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(home_modules())
