"""Every reader that is fuzzed, by the file that is changed."""

from __future__ import annotations

from functools import partial

from tests.fuzz.mutation import rewritten_tar
from tests.fuzz.of_archives import tars, zips
from tests.fuzz.of_data_sets import cases, ended_lines, rewritten_json, spaced_xml, with_images, with_names
from tests.fuzz.of_results import coco_results, coco_truth, devkit
from tests.fuzz.of_settings import settings, spaced
from tests.fuzz.of_stores import events, manifests, records, rewritten, summaries
from tests.fuzz.of_weights import arrays, caffemodels, checkpoints, own, state_dicts
from tests.fuzz.target import Harmless, Target


def _of_layout(name: str, layout: str, pattern: str, harmless: Harmless | None = None) -> Target:
    return Target(name=name, cases=partial(cases, layout=layout, pattern=pattern), harmless=harmless)


TARGETS = {
    target.name: target
    for target in (
        _of_layout("voc-annotation", "voc", "Annotations/*", spaced_xml),
        _of_layout("voc-list", "voc", "ImageSets/Main/*", ended_lines),
        _of_layout("ilsvrc-annotation", "ilsvrc", "Annotations/DET/*/*/*", spaced_xml),
        _of_layout("ilsvrc-list", "ilsvrc", "ImageSets/DET/*", ended_lines),
        _of_layout("coco-annotations", "coco", "annotations/*", rewritten_json),
        _of_layout("csv", "csv", "*.csv", ended_lines),
        _of_layout("yolo-yaml", "yolo", "*.yaml", ended_lines),
        _of_layout("yolo-labels", "yolo", "**/labels/**/*.txt", ended_lines),
        Target(name="yolo-names", cases=with_names, harmless=ended_lines),
        Target(name="image", cases=with_images),
        Target(name="detections-voc", cases=devkit, harmless=ended_lines),
        Target(name="detections-coco", cases=coco_results, harmless=rewritten_json),
        Target(name="truth-coco", cases=coco_truth, harmless=rewritten_json),
        Target(name="weights-own", cases=own),
        Target(name="weights-pytorch", cases=state_dicts),
        Target(name="weights-npz", cases=arrays),
        Target(name="weights-caffe", cases=caffemodels),
        Target(name="checkpoint", cases=checkpoints),
        Target(name="archive-zip", cases=zips),
        Target(name="archive-tar", cases=tars, harmless=rewritten_tar),
        Target(name="manifest", cases=manifests, harmless=rewritten),
        Target(name="events", cases=events, harmless=rewritten),
        Target(name="records", cases=records, harmless=rewritten),
        Target(name="summary", cases=summaries, harmless=rewritten),
        Target(name="settings", cases=settings, harmless=spaced),
    )
}
