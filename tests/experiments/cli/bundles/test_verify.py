"""`ssdpipe verify` on bundles as they are, changed in one byte, and forged together with their checksums."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.keys.fingerprint import Ingredients
from stages.bundles.tar_file import pack, unpacked
from tests.experiments.cli.bundles.conftest import Bundled, flipped, forged, ssdpipe, with_code

SCORES = "results/evaluate/squares/seed0/summary.json"


def test_a_bundle_is_computed_again_bit_for_bit_without_the_store(bundled: Bundled) -> None:
    result = ssdpipe("verify", str(bundled.file), "--json")
    assert result.exit_code == 0, result.exception
    found = json.loads(result.stdout)
    assert (found["verified"], found["differences"], found["changed_functions"]) == (True, [], [])
    assert found["equal"] > 100
    assert [each["verdict"] for each in found["verdicts"]["claims"]] == ["undecided", "undecided"]


@pytest.mark.parametrize(
    ("member", "text", "rows"),
    [
        ("results/detect/squares/seed0/detections.parquet", b"PAR1", "squares (seed 0)"),
        ("results/shard/drawn-test/images-00000.parquet", b"PAR1", "all (seed 0); squares (seed 0)"),
        ("results/shard/drawn-test/shards.json", b"schema", "all (seed 0); squares (seed 0)"),
        ("results/train/squares/seed0/result.json", b'"momentum": 0.25', ""),
        ("results/draw/result.json", b'"python": "3', "all (seed 0); squares (seed 0)"),
    ],
)
def test_a_changed_byte_that_numbers_rest_on_is_named_with_the_rows(
    bundled: Bundled, tmp_path: Path, member: str, text: bytes, rows: str
) -> None:
    result = ssdpipe("verify", str(flipped(bundled.file, member, text, tmp_path / "changed.tar")))
    assert result.exit_code != 0
    message = str(result.exception)
    assert f"changed.tar was changed: {member} differs from its checksum in bundle.json." in message
    assert message.endswith(f"rest on it: {rows}." if rows else "bundle.json.")


def test_a_changed_byte_of_a_result_is_named_with_its_number(bundled: Bundled, tmp_path: Path) -> None:
    one = flipped(bundled.file, "table/table.json", b'"change": 0.0', tmp_path / "one.tar")
    message = str(ssdpipe("verify", str(one)).exception)
    assert "one.tar was changed: table/table.json differs from its checksum in bundle.json." in message
    assert "table, table.json: cells.1.change is 0.1" in message

    changes = ((SCORES, b'"voc12/mAP": 0.0'), ("table/table.txt", b"squares"), ("claims.json", b'"undecid'))
    changed = bundled.file
    for member, text in changes:
        changed = flipped(changed, member, text, tmp_path / "changed.tar")
    message = str(ssdpipe("verify", str(changed)).exception)
    assert f"changed: claims.json; {SCORES}; table/table.txt differ from their checksums in bundle.json." in message
    assert "evaluate/squares/seed0, summary.json: voc12/mAP is 0.1" in message
    assert "table, table.txt: line " in message
    assert 'verdicts: claims.0.verdict is "undecieed" in the bundle and "undecided" computed again' in message


@pytest.mark.parametrize(
    ("member", "text", "message"),
    [
        ("bundle.json", b'"experiment": "s', "the checksum of bundle.json is"),
        ("bundle.sha256", b"", "the checksum of bundle.json is"),
        ("environment.txt", b"numpy==", "environment.txt differs from its checksum"),
    ],
)
def test_a_changed_byte_of_the_index_or_the_lock_is_named(
    bundled: Bundled, tmp_path: Path, member: str, text: bytes, message: str
) -> None:
    text = text or bundled.member(member)[:1]
    result = ssdpipe("verify", str(flipped(bundled.file, member, text, tmp_path / "changed.tar")))
    assert result.exit_code != 0
    assert message in str(result.exception)


def test_a_changed_byte_outside_the_members_is_named(bundled: Bundled, tmp_path: Path) -> None:
    content = bytearray(bundled.file.read_bytes())
    content[-1] ^= 1
    changed = tmp_path / "changed.tar"
    changed.write_bytes(content)
    result = ssdpipe("verify", str(changed))
    assert f"its byte {len(content) - 1:,} lies outside the contents of its members" in str(result.exception)


def test_a_number_of_the_table_forged_with_its_checksum_comes_out_otherwise(bundled: Bundled, tmp_path: Path) -> None:
    def better(folder: Path) -> None:
        table = json.loads((folder / "table/table.json").read_text())
        table["cells"][1]["mean"] = 0.743
        (folder / "table/table.json").write_text(json.dumps(table))

    result = ssdpipe("verify", str(forged(bundled.file, better, tmp_path / "forged.tar")))
    assert result.exit_code != 0
    assert "1 number comes out otherwise: table, table.json: cells.1.mean is 0.743 in the bundle and" in str(
        result.exception
    )


def test_a_score_forged_with_its_checksum_is_not_the_one_of_its_result(bundled: Bundled, tmp_path: Path) -> None:
    def better(folder: Path) -> None:
        (folder / SCORES).write_text((folder / SCORES).read_text().replace("0.", "0.9", 1))

    result = ssdpipe("verify", str(forged(bundled.file, better, tmp_path / "forged.tar")))
    assert "its file summary.json in the bundle is another result's" in str(result.exception)


def test_functions_that_differ_are_named_and_nothing_of_the_bundle_is_imported(
    bundled: Bundled, tmp_path: Path
) -> None:
    def other_code(folder: Path) -> None:
        (folder / "evil.py").write_text("raise SystemExit('executed')")
        for place in (folder / "results/evaluate").glob("*/seed0/result.json"):
            result = json.loads(place.read_text())
            code = json.loads((folder / f"code/{result['ingredients']['code']}.json").read_text())
            code["stages.evaluation.voc_evaluation"]["summarise"] = "0" * 16
            code["evil"] = {"evil": "0" * 16}
            with_code(folder, place, code)

    result = ssdpipe("verify", str(forged(bundled.file, other_code, tmp_path / "forged.tar")))
    assert result.exit_code == 0, result.exception
    assert "1 function differs from the installed ones: stages.evaluation.voc_evaluation: summarise" in result.stdout
    assert "not here     evil: not installed, and not executed" in result.stdout
    assert "computed     2 evaluations, the table and 2 verdicts" in result.stdout
    assert "evil" not in sys.modules


def test_a_member_outside_the_folder_refuses_the_bundle(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "outside.tar", "w") as tar:
        info = tarfile.TarInfo("../outside.txt")
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    result = ssdpipe("verify", str(tmp_path / "outside.tar"))
    assert "lies outside" in str(result.exception)


def test_other_files_are_no_bundles(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    assert "is not a bundle: it lacks bundle.json" in str(ssdpipe("verify", str(tmp_path / "other.tar")).exception)
    assert "there is no file" in str(ssdpipe("verify", str(tmp_path / "absent.tar")).exception)
    (tmp_path / "text.tar").write_text("no archive")
    assert "it is no tar archive" in str(ssdpipe("verify", str(tmp_path / "text.tar")).exception)


@pytest.mark.parametrize("option", ["--data", "--own-file", "--store"])
def test_an_option_of_retraining_alone_is_refused(bundled: Bundled, option: str) -> None:
    assert f"{option} belongs to --retrain ROW" in str(ssdpipe("verify", str(bundled.file), option, "x").exception)


@pytest.mark.parametrize(
    ("part", "field", "value", "message"),
    [
        ("table", "replicates", 10**12, "Expected `int` <= 10000"),
        ("table", "preset", "huge", "Invalid enum value 'huge'"),
        ("claims", "looks", {"first": 10**9, "most_seeds": 10**9}, "Expected `int` <= 10000"),
    ],
)
def test_a_bundle_that_asks_for_too_much_is_not_computed(
    bundled: Bundled, tmp_path: Path, part: str, field: str, value: object, message: str
) -> None:
    unpacked(bundled.file, tmp_path / "files")
    index = json.loads((tmp_path / "files/bundle.json").read_text())
    index[part][field] = value
    (tmp_path / "files/bundle.json").write_text(json.dumps(index))
    digest = hashlib.sha256((tmp_path / "files/bundle.json").read_bytes()).hexdigest()
    (tmp_path / "files/bundle.sha256").write_text(digest)
    pack(tmp_path / "files", tmp_path / "forged.tar")
    assert message in str(ssdpipe("verify", str(tmp_path / "forged.tar")).exception)


def tolerant(value: dict[str, Any]) -> None:
    value["settings"]["pixel_tolerance"] = 10


def without_inputs(value: dict[str, Any]) -> None:
    value["inputs"] = value["ingredients"]["inputs"] = {}


def of_itself(value: dict[str, Any]) -> None:
    value["inputs"]["shards"] |= {"key": OF_ITSELF, "digest": value["digest"]}
    value["ingredients"]["inputs"]["shards"] = value["digest"]


OF_ITSELF = "its own key"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (tolerant, "its settings in the bundle are not those of its key"),
        (without_inputs, ""),
        (of_itself, "the bundle holds results that were computed from each other"),
    ],
)
def test_a_result_that_contradicts_its_key_is_refused(
    bundled: Bundled, tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    """Without inputs a score cannot be computed again; it counts by its checksum."""

    def contradict(folder: Path) -> None:
        place = folder / SCORES.replace("summary", "result")
        value = json.loads(place.read_text())
        change(value)
        code = value["ingredients"]["code"]
        whole = {**value["ingredients"], "code": json.loads((folder / f"code/{code}.json").read_text())}
        value["key"] = Ingredients(**whole).key
        place.write_text(json.dumps(value).replace(OF_ITSELF, value["key"]))

    result = ssdpipe("verify", str(forged(bundled.file, contradict, tmp_path / "forged.tar")))
    assert message in str(result.exception)
    if not message:
        assert "evaluate/squares/seed0: measured, not computed again" in " ".join(result.stdout.split())
