"""The analysis stage, on drawn shards with detections made from the objects themselves."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.folder import Folder
from ssd_core.data.shards import ShardSet
from stages.analysis.analyze import Analyze
from stages.analysis.known_groups import grouping_of
from stages.detection.detect import Detect
from stages.detection.table import DETECTIONS, SCHEMA
from stages.drawn.vocabulary import VOCABULARIES


def perfect(shards: Folder, place: Folder) -> Folder:
    """A detection result that matches every object exactly."""
    rows = [
        (row.image_id, int(label), 0.9, *map(float, box))
        for row in ShardSet(shards.path)
        for label, box in zip(row.labels, row.boxes_xyxy, strict=True)
    ]
    table = pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)],
        schema=SCHEMA,
    )
    with place.open_output(DETECTIONS) as stream:
        pq.write_table(table, stream)
    return place


def test_a_perfect_detector_has_no_false_positives_and_all_files_exist(drawn, in_process, tmp_path):
    detections = Detect(weights=drawn.train, shards=drawn.test, variant="perfect")
    grouping = grouping_of(VOCABULARIES["voc"].names)
    stage = Analyze(
        detections=detections, shards=drawn.test, similar=grouping.similar, groups=grouping.groups, fixed=True
    )
    found = perfect(drawn.folders[drawn.test], Folder(str(tmp_path / "detections")))
    ctx = in_process(stage, inputs=drawn.folders | {detections: found})
    stage.run(ctx)
    document = ctx.out.read_json("analysis.json")
    assert list(document["groups"]) == ["round", "cornered", "pointed"]
    assert all(group["detections"]["Cor"][3] == 1 for group in document["groups"].values())
    summary = ctx.out.read_json("summary.json")
    assert all(summary[f"hoiem/AP_N/{name}"] == 1 for name in document["sensitivity"])
    assert set(stage.artifacts()) <= set(ctx.out.files())
