"""Secrets are hidden wherever they stand in a text; everything else stays."""

from __future__ import annotations

import time

import pytest

from pipeline.errors import PipelineError
from pipeline.redaction import redacted, redacted_arguments, redacted_json

AWS = "wJalrXUtnFEMI/K7MDENG+bPx@fiCY"  # a key of AWS may hold / and +


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://AKIAKEY:s3cr3t@bucket/voc", "s3://bucket/voc"),
        (f"s3://AKIAKEY:{AWS}@bucket/voc", "s3://bucket/voc"),
        ("see s3://a:s3cr3t@b/c, then s3://d:s3cr3t@e.", "see s3://b/c, then s3://e."),
        ("http://ann:p@s3cr3t@host:5000/#/runs", "http://host:5000/#/runs"),
        ("https://s3cr3t@host/x", "https://host/x"),
        ("http://:s3cr3t@host", "http://host"),
        ("postgresql+psycopg2://ann:s3cr3t@db:5432/mlflow", "postgresql+psycopg2://db:5432/mlflow"),
        ("no folder s3:/AKIAKEY:s3cr3t@bucket/voc", "no folder s3:/bucket/voc"),  # as `Path` shortens it
        ("abfss://box:s3cr3t@me.dfs.core.windows.net/a", "abfss://box@me.dfs.core.windows.net/a"),
        ("s3://bucket/voc?access_key=s3cr3t&region=eu&secret_key=s3cr3t", "s3://bucket/voc?region=eu"),
        ("(s3://bucket/voc?X-Amz-Signature=s3cr3t), gone", "(s3://bucket/voc), gone"),
        ("https://me.blob.core.windows.net/a?sv=2022&sig=s3cr3t", "https://me.blob.core.windows.net/a?sv=2022"),
        ("postgresql:///mlflow?user=ann&password=s3cr3t", "postgresql:///mlflow"),
        ("connect(password='s3cr3t', port=1)", "connect(password='***', port=1)"),
        ("{'secret_key': 's3cr3t', 'port': 1}", "{'secret_key': '***', 'port': 1}"),
        ("AWS_SESSION_TOKEN=s3cr3t ssdpipe run", "AWS_SESSION_TOKEN=*** ssdpipe run"),
        ("run --api-key s3cr3t --gpus 2", "run --api-key *** --gpus 2"),
        ("run --hub-token=s3cr3t --gpus 2", "run --hub-token=*** --gpus 2"),
        ("Authorization: Basic s3cr3ts3cr3t", "Authorization: Basic ***"),
        ("header 'Bearer s3cr3ts3cr3t'", "header 'Bearer ***'"),
        ("the key AKIAIOSFODNN7EXAMPLE expired", "the key *** expired"),
        ("hf_s3cr3ts3cr3ts3cr3ts3cr3t", "***"),
        ("my-eyJhbGciOiJI.eyJzdWIiOiIx.s3cr3t-1 expired", "my-*** expired"),
    ],
)
def test_a_secret_is_hidden_and_the_place_stays(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert redacted(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "s3://bucket/prefix/2012@final?region=eu-west-1",
        "file:///data/voc@2007/a.jpg",
        "/data/a:b/voc@2007",
        "http://host:5000/runs@home",
        "gs://anonymous@bucket/voc",
        "hdfs://ann@namenode:8020/voc",
        "it requires a token, which is not set: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN (or RAY_AUTH_TOKEN_PATH)",
        "are they points, or placeholders? a=b and mail to ann@example.org",
        "-s schedule.base_lr=1e-3 --train-split train --store ./results",
        "mAP@0.5: 77.2",
    ],
)
def test_a_text_without_secrets_is_unchanged(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    "part", ["1.2-", "a.b-", "a", "?a", "token", "a.token-", "--token ", "eyJ-", "http://a:", "x@http://a:", "token' "]
)
def test_a_long_text_takes_no_longer_than_its_length_requires(part: str) -> None:
    began = time.perf_counter()
    redacted(part * 40_000)
    assert time.perf_counter() - began < 2  # 0.1 s; minutes where each part starts a search to the end


def test_the_argument_of_an_option_for_a_secret_is_hidden_whole() -> None:
    given = ["run.py", "--token", "s3 cr3t", "--data", "s3://a:s3cr3t@b/c", "--password=s3cr3t"]
    assert redacted_arguments(given) == ["run.py", "--token", "***", "--data", "s3://b/c", "--password=***"]


def test_texts_anywhere_in_a_value_are_redacted() -> None:
    value = {"argv": ("run.py", "--token", "s3cr3t"), "request": {"data": "s3://a:s3cr3t@b", "seeds": 2}, "gpus": None}
    shown = {"argv": ["run.py", "--token", "***"], "request": {"data": "s3://b", "seeds": 2}, "gpus": None}
    assert redacted_json(value) == shown


def test_an_error_holds_no_secret() -> None:
    error = PipelineError("there is no folder s3://a:s3cr3t@b/c")
    assert str(error) == "there is no folder s3://b/c"
    assert "s3cr3t" not in repr(error)
