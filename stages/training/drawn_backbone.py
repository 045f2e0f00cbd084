"""Initial weights of small detectors: a backbone trained as a classifier of drawn objects, in a minute of one core.

It is to the small presets what VGG16, trained on ImageNet, is to the paper's detectors: all rows of a table start from
the same weights. Its images show one object each, of the classes of the larger vocabulary; none is in a data set.

Tested in tests/stages/training/test_drawn_backbone.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.stage import Context, Stage
from ssd_core.backbones.backbone import Backbone
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import TINY_NORM_GROUPS, TINY_VGG16
from stages.training.weight_files import WEIGHTS

SCHEDULE = Schedule(iterations=1500, base_lr=2e-3, warmup=50, curve="cosine")


@dataclass(frozen=True, kw_only=True)
class DrawnBackbone(Stage):
    """The result: `weights.pt`, and `summary.json` with the share of other images that it classifies correctly."""

    kind = "weights"
    backbone: Backbone = TINY_VGG16
    norm_groups: int = TINY_NORM_GROUPS
    side: int = 48
    """Width and height of the images in pixels."""

    images: int = 12_000
    """Number of images that are drawn, of all classes in equal numbers."""

    batch_size: int = 32
    schedule: Schedule = SCHEDULE
    test_images: int = 1200

    def run(self, ctx: Context) -> None:
        import torch

        from ssd_core.spec.tiny import ssd_tiny
        from ssd_core.training.classifier import Classifier, accuracy, backbone_alone, train_classifier
        from ssd_core.weights.weights import Weights, save_weights
        from stages.drawn.portraits import portraits, varied_batches
        from stages.drawn.vocabulary import COCO_CLASSES

        spec = replace(ssd_tiny(COCO_CLASSES), backbone=self.backbone, norm_groups=self.norm_groups)
        spec = backbone_alone(spec)
        classifier = Classifier(spec, len(COCO_CLASSES), torch.Generator().manual_seed(0))

        def progress(step: int, loss: float) -> None:
            ctx.progress(step, self.schedule.iterations, f"loss {loss:.2f}")

        ctx.progress(0, self.schedule.iterations, "drawing")
        drawn = portraits(self.images, self.side, stream="training")
        train_classifier(classifier, varied_batches(drawn, self.batch_size), self.schedule, progress)
        share = accuracy(classifier, [portraits(self.test_images, self.side, stream="test")])
        ctx.out.write_json("summary.json", {"accuracy": share})
        with ctx.out.open_output(WEIGHTS) as stream:
            save_weights(Weights(spec=spec, state=classifier.backbone_state()), stream)
