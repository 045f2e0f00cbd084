"""The token of a cluster is its owner's alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.ray_backend.token_file import private_token_file, token


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("folder_exists", [False, True])
def test_a_token_that_ray_generates_is_readable_by_its_owner_alone(home: Path, folder_exists: bool) -> None:
    from ray._private.authentication.authentication_token_setup import generate_and_save_token

    if folder_exists:
        (home / ".ray").mkdir(mode=0o755)
    with private_token_file():
        generate_and_save_token()
    assert (home / ".ray/auth_token").stat().st_mode & 0o777 == 0o600
    assert folder_exists or (home / ".ray").stat().st_mode & 0o777 == 0o700
    assert len(token()) == 64


def test_a_token_that_others_can_read_is_warned_of_and_left_as_it_is(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / "token"
    file.write_text("right\n")
    file.chmod(0o640)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file))
    with private_token_file():
        assert token() == "right"
    assert capsys.readouterr().err == f"warning: others can read the token in {file}: chmod 600 {file}\n"
    file.chmod(0o600)
    assert token() == "right"
    assert capsys.readouterr().err == ""


def test_without_a_token_there_is_none(home: Path) -> None:
    assert token() == ""
