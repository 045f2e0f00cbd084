import pytest

from pipeline.errors import PipelineError
from pipeline.executor import InlineExecutor
from pipeline.graph import Graph
from pipeline.plan import plan
from pipeline.resolver import Resolver
from pipeline.scheduler import Scheduler
from pipeline.store import Store
from ssd_core.shards import ShardSet
from stages.drawn import CLASSES, Draw
from stages.shard import Shard
from stages.voc import VocFolder


def drawn(in_process, name="drawn", **fields):
    stage = Draw(**fields)
    stage.run(ctx := in_process(stage, name))
    return ctx.out


def test_the_same_fields_give_the_same_bytes_and_another_seed_does_not(in_process):
    first = drawn(in_process, "first", train=3, test=2)
    second = drawn(in_process, "second", train=3, test=2)
    other = drawn(in_process, "other", train=3, test=2, seed=1)
    assert first.files() == second.files() == other.files()
    assert all(first.read_bytes(name) == second.read_bytes(name) for name in first.files())
    assert first.read_bytes("JPEGImages/train_00000.jpg") != other.read_bytes("JPEGImages/train_00000.jpg")


def test_a_larger_set_begins_with_the_images_of_a_smaller_one(in_process):
    small, large = drawn(in_process, "small", train=1, test=1), drawn(in_process, "large", train=2, val=1, test=1)
    for name in ("JPEGImages/train_00000.jpg", "JPEGImages/test_00000.jpg", "Annotations/test_00000.xml"):
        assert small.read_bytes(name) == large.read_bytes(name)


def test_splits_are_listed_and_an_empty_one_is_not(in_process):
    without, with_val = drawn(in_process, "without", train=1, test=1), drawn(in_process, "with", train=1, val=1, test=1)
    assert [name for name in without.files() if name.startswith("ImageSets")] == [
        "ImageSets/Main/test.txt",
        "ImageSets/Main/train.txt",
        "ImageSets/Main/trainval.txt",
    ]
    assert with_val.read_bytes("ImageSets/Main/trainval.txt") == b"train_00000\nval_00000\n"


def test_the_images_of_two_splits_differ(in_process):
    out = drawn(in_process, train=1, test=1)
    assert out.read_bytes("JPEGImages/train_00000.jpg") != out.read_bytes("JPEGImages/test_00000.jpg")


def test_drawn_images_pass_a_strict_sharding_and_both_stages_are_kept(tmp_path):
    draw = Draw(train=12, test=1)
    source = VocFolder(name="drawn", split="train", within=draw)
    graph = Graph([Shard(sources=(source,), classes=CLASSES, images_per_shard=5, strict=True)])
    store = Store.open(str(tmp_path / "store"))

    def states(run_id):
        result = Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id=run_id).run()
        result.raise_for_failures()
        return [row.state for row in plan(graph, store, Resolver(graph))]

    assert [row.state for row in plan(graph, store, Resolver(graph))] == ["run", "after"]
    assert states("first") == ["cached", "cached"]
    (manifest,) = [manifest for manifest in store.manifests() if manifest.address == "shard"]
    shards = ShardSet(store.output(manifest).path)
    assert [row.image_id for row in shards] == [f"train_{number:05d}" for number in range(12)]
    assert all(160 <= row.width <= 200 and 160 <= row.height <= 200 for row in shards)
    assert store.output(manifest).read_json("report.json")["list"] == []


@pytest.mark.parametrize("fields", [{"train": -1}, {"train": 0, "test": 0}, {"seed": -1}, {"sides": (200, 160)}])
def test_counts_seeds_and_sizes_that_mean_nothing_are_refused(fields):
    with pytest.raises(PipelineError, match=r"\d"):
        Draw(**fields)
