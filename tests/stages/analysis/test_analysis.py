"""The analysis as a document and as files: on a hand-made scene, and on a real detector's output for VOC2007 test."""

from __future__ import annotations

import json
import tarfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from ssd_core.metrics.analysis.findings import find
from ssd_core.metrics.analysis.sensitivity import normalised_ap
from ssd_core.metrics.analysis.suspects import suspects
from ssd_core.metrics.overlaps import pairs_in_images
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes, evaluate
from stages.analysis.analysis import AnalysisOptions, analyse, summarise
from stages.analysis.analysis_files import write_files
from stages.analysis.known_groups import grouping_of
from stages.evaluation.voc_detections import read_files

KINDS = ("Cor", "Loc", "Sim", "Oth", "BG")
A, B = (1, 1, 10, 10), (41, 41, 60, 60)


def scene():
    """One image with a cat and a dog; the cat is detected, the dog taken for a cat. The third class has no object."""
    truth = TrueBoxes(
        images=np.zeros(2, int),
        labels=np.array([0, 1]),
        boxes_xyxy=np.array([A, B], float),
        difficult=np.zeros(2, bool),
    )
    detections = ScoredBoxes(
        images=np.zeros(2, int),
        labels=np.zeros(2, int),
        scores=np.array([0.9, 0.8]),
        boxes_xyxy=np.array([A, B], float),
    )
    return detections, truth


def small_document(**options):
    return analyse(*scene(), classes=("cat", "dog", "cow"), image_ids=("a",), options=AnalysisOptions(**options))


def test_the_document_is_plain_json_and_omits_groups_and_classes_without_objects():
    document = small_document(similar=(("cat", "dog"),), groups=(("pets", ("cat", "dog")), ("cattle", ("cow",))))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert list(document["groups"]) == ["pets"]
    assert list(document["sensitivity"]) == ["cat", "dog"]
    # Ticks count in one object: the first detection is correct, two objects on are the similar one
    trend = document["groups"]["pets"]["detections"]
    assert trend["objects"] == 1
    assert [trend[kind][4] for kind in KINDS] == [0.5, 0, 0.5, 0, 0]
    assert trend["Cor"][5] is None
    assert document["confusion"]["counts"] == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_without_groups_all_classes_form_one_and_without_similar_classes_a_confusion_counts_as_other():
    document = small_document()
    assert document["groups"]["all"]["classes"] == ["cat", "dog"]
    assert document["groups"]["all"]["detections"]["Oth"][4] == 0.5


def test_groups_without_objects_are_refused_and_the_classes_with_objects_named():
    with pytest.raises(PipelineError, match=r"cow.*with objects: cat, dog"):
        small_document(groups=(("cattle", ("cow",)),))


def test_the_summary_reports_shares_where_there_are_as_many_detections_as_objects():
    summary = summarise(small_document())
    assert summary["hoiem/all/Cor"] == 1
    assert summary["hoiem/all/recall"] == 0.5  # all of the cats, none of the dogs
    assert summary["hoiem/AP_N/cat"] == 1


def test_files_are_written_and_equal_documents_give_equal_bytes(tmp_path):
    document = small_document()
    first, second = Folder(str(tmp_path / "a")), Folder(str(tmp_path / "b"))
    names = write_files(document, first)
    assert write_files(document, second) == names
    assert sorted(names) == first.files()
    assert {name.rsplit(".")[-1] for name in names} == {"json", "png", "svg"}
    assert all(first.read_bytes(name) == second.read_bytes(name) for name in names)
    assert b"animals" not in first.read_bytes("trends.svg")


@pytest.mark.parametrize(
    ("classes", "groups"),
    [
        (("car", "person"), ["animals", "vehicles", "furniture"]),
        (("truck", "person"), ["vehicle", "animal", "furniture"]),
        (("disc", "star"), ["round", "cornered", "pointed"]),
        (("hoop", "star"), ["round", "cornered", "pointed"]),
        (("RBC",), []),
    ],
)
def test_groups_of_known_vocabularies_are_recognised_by_their_classes(classes, groups):
    assert [name for name, _ in grouping_of(classes).groups] == groups


@pytest.fixture(scope="module")
def voc2007(real_data, tmp_path_factory):
    """Detections of tiny-YOLOv2 and the annotations of VOC2007 test."""
    place = tmp_path_factory.mktemp("voc2007_eval")
    for archive in sorted(real_data("voc2007_eval").glob("*.tar.xz")):
        with tarfile.open(archive) as content:
            content.extractall(place, filter="data")
    return read_files(next(place.rglob("comp4_det_test_cat.txt")).parent, str(place / "VOC2007"), "test")


@pytest.fixture(scope="module")
def document(voc2007):
    return analysed(voc2007)


def analysed(files, **options):
    grouping = grouping_of(files.classes)
    return analyse(
        files.detections,
        files.truth,
        classes=files.classes,
        image_ids=files.image_ids,
        options=AnalysisOptions(similar=grouping.similar, groups=grouping.groups, **options),
    )


def test_the_groups_of_voc2007_test_have_357_415_and_400_objects_per_class(document):
    # The units printed on the axes of the paper's Figure 3
    groups = document["groups"]
    assert [groups[name]["detections"]["objects"] for name in ("animals", "vehicles", "furniture")] == [357, 415, 400]
    assert document["images"] == 4952


def test_shares_of_a_real_detector_add_up_and_change_in_the_right_direction(document):
    for group in document["groups"].values():
        trend, false_positives = group["detections"], group["false_positives"]
        np.testing.assert_allclose(sum(np.array(trend[kind]) for kind in KINDS), 1)
        np.testing.assert_allclose(sum(np.array(false_positives[kind]) for kind in KINDS[1:]), 1)
        assert trend["Cor"][0] > 0.9 > trend["Cor"][-1]
        assert (np.diff(trend["recall"]) >= 0).all()
        assert (np.array(trend["weak_recall"]) >= trend["recall"]).all()
    # The paper and Hoiem et al. find the same of all detectors: animals are taken for each other, furniture for others
    groups = document["groups"]
    similar = {name: groups[name]["false_positives"]["Sim"][3] for name in groups}
    other = {name: groups[name]["false_positives"]["Oth"][3] for name in groups}
    assert similar["animals"] == max(similar.values())
    assert other["furniture"] == max(other.values())


def test_counting_background_once_moves_ticks_to_later_detections(voc2007, document):
    fixed = analysed(voc2007, fixed=True)
    for name, group in fixed["groups"].items():
        assert group["detections"]["Cor"][-1] < document["groups"][name]["detections"]["Cor"][-1]
        assert group["detections"]["recall"] == document["groups"][name]["detections"]["recall"]


def test_without_normalisation_average_precision_is_close_to_the_devkit_s(voc2007):
    # They differ in who takes an object when several are near: by less than a hundredth
    devkit = evaluate(voc2007.detections, voc2007.truth, class_count=20)
    for label, result in enumerate(devkit):
        findings = find(voc2007.detections, voc2007.truth, label=label, similar=frozenset())
        ours = normalised_ap(findings.strong, objects=findings.objects, nominal=float(findings.objects))
        assert ours.value == pytest.approx(result.ap_area, abs=0.01)


def test_small_objects_score_worst_and_bins_hold_a_tenth_to_two_fifths(document):
    for item in document["sensitivity"].values():
        assert item["area"][0]["value"] == min(part["value"] for part in item["area"])
        objects = [part["objects"] for part in item["area"]]
        assert sum(objects) == item["overall"]["objects"]
        np.testing.assert_allclose(np.array(objects) / sum(objects), [0.1, 0.2, 0.4, 0.2, 0.1], atol=0.02)


def test_the_costs_of_a_real_detector_s_errors_are_tidecv_s(document):
    expected = json.loads((Path(__file__).parents[2] / "golden/tide.json").read_text())["voc"]["0.5"]
    errors = document["tide"]["errors"]
    assert {name: 100 * item["dAP"] for name, item in errors.items()} == pytest.approx(expected["dAP"], abs=1e-3)
    assert {name: item["count"] for name, item in errors.items()} == expected["counts"]


def test_the_curves_of_a_real_detector_have_the_average_precision_as_area(voc2007, document):
    for label, result in enumerate(evaluate(voc2007.detections, voc2007.truth, class_count=20)):
        curve = document["precision_recall"][voc2007.classes[label]]
        area = (np.array(curve["precision"]) * np.diff(curve["recall"], prepend=0)).sum()
        assert area == pytest.approx(result.ap_area, abs=1e-12)
        assert curve["AP"] == result.ap_area


def rows(boxes, which):
    return replace(boxes, **{field.name: getattr(boxes, field.name)[which] for field in fields(boxes)})


def near(detections, truth):
    """Pairs that overlap by half; the objects are in the order of their images."""
    pairs = pairs_in_images(detections.images, detections.boxes_xyxy, truth.images, truth.boxes_xyxy, 1.0)
    return pairs.chosen(pairs.overlaps >= 0.5)


def test_of_40_planted_faults_on_objects_that_a_real_detector_finds_30_are_among_the_first_60(real_data, voc2007):
    # On 400 images, of whose 1,008 objects it finds 386 with a score of 0.5
    subset = set((real_data("voc2007_eval") / "test_subset400.txt").read_text().split())
    images = np.flatnonzero([image_id in subset for image_id in voc2007.image_ids])
    detections, truth = (rows(each, np.isin(each.images, images)) for each in (voc2007.detections, voc2007.truth))
    pairs = near(detections, truth)
    same = detections.labels[pairs.detections] == truth.labels[pairs.objects]
    found = np.unique(pairs.objects[same & (detections.scores[pairs.detections] >= 0.5)])
    rng = np.random.default_rng(0)
    deleted, relabelled = rng.permutation(found[~truth.difficult[found]])[:40].reshape(2, 20)
    labels = truth.labels.copy()
    labels[relabelled] = (labels[relabelled] + rng.integers(1, 20, 20)) % 20
    kept = np.setdiff1d(np.arange(len(labels)), deleted)
    listed = suspects(detections, rows(replace(truth, labels=labels), kept), most=60)
    changed = {kept[item.object] for item in listed if item.object is not None} & {*relabelled}
    missing = rows(detections, [item.detection for item in listed if item.object is None])
    assert len(changed) + len(np.unique(near(missing, rows(truth, np.sort(deleted))).objects)) >= 30


def test_each_object_appears_in_the_confusion_matrix_once(voc2007, document):
    counts = np.array(document["confusion"]["counts"])
    objects = np.bincount(voc2007.truth.labels[~voc2007.truth.difficult], minlength=20)
    np.testing.assert_array_equal(counts.sum(axis=1)[:20], objects)
