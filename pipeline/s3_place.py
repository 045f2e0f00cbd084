"""Where an `s3://` URI leads: endpoint, region and credentials, the same for pyarrow and for conditional writes.

What the URI leaves open comes from the environment, then from the profile, as for boto3 and the AWS command line:

    endpoint      ?endpoint_override=  AWS_ENDPOINT_URL_S3  AWS_ENDPOINT_URL  endpoint_url of the profile
    region        ?region=             AWS_REGION  AWS_DEFAULT_REGION  region of the profile
    credentials   key:secret@          AWS_ACCESS_KEY_ID ...  keys of the profile  boto3, where it is installed (SSO,
                  assumed roles), else web identity, container or instance role

The profile is that of AWS_PROFILE, or `default`, in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE.

Tested in tests/pipeline/test_s3.py.
"""

from __future__ import annotations

import os
from configparser import ConfigParser, Error
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

REREAD = timedelta(minutes=5)
"""How long keys of a profile are used before its files are read again: other programs renew them."""


def is_s3(uri: str) -> bool:
    return uri.startswith("s3://")


def completed(uri: str) -> str:
    """The URI with the endpoint and region that it leaves open, as parameters that pyarrow understands."""
    place, _, query = uri.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    profile = _profile()
    if url := given.get("endpoint_override") or _endpoint(profile):
        parts = urlsplit(url if "://" in url else f"{given.get('scheme', 'https')}://{url}")
        region = _first("AWS_REGION", "AWS_DEFAULT_REGION") or profile.get("region") or "us-east-1"
        given = {"region": region, **given, "endpoint_override": parts.netloc, "scheme": parts.scheme}
    given.setdefault("allow_delayed_open", "true")  # a small file is then one request, not three
    return f"{place}?{urlencode(given)}"


def client_of(uri: str, bucket: str, region: str) -> Any:
    """An obstore client for a bucket; `uri` is completed."""
    from obstore.store import S3Store

    given = dict(parse_qsl(urlsplit(uri).query))
    options: dict[str, Any] = {"region": region, **_login(uri)}
    if endpoint := given.get("endpoint_override"):
        options["endpoint"] = f"{given['scheme']}://{endpoint}"
    return S3Store(
        bucket,
        **options,
        client_options={"allow_http": True, "connect_timeout": "5s", "timeout": "60s"},
        retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=60)},
    )


def _login(uri: str) -> dict[str, Any]:
    """Credentials as options of obstore; none where its own search finds what pyarrow's does."""
    parts = urlsplit(uri)
    if parts.username and parts.password:
        return {"access_key_id": unquote(parts.username), "secret_access_key": unquote(parts.password)}
    if os.environ.get("AWS_ACCESS_KEY_ID"):
        return {}
    if "aws_access_key_id" in _profile():
        return {"credential_provider": _from_profile}
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider

        return {"credential_provider": Boto3CredentialProvider()}
    except (ImportError, ValueError):  # ValueError: boto3 finds none
        return {}


def _from_profile() -> dict[str, Any]:
    profile = _profile()
    return {
        "access_key_id": profile["aws_access_key_id"],
        "secret_access_key": profile["aws_secret_access_key"],
        "token": profile.get("aws_session_token"),
        "expires_at": datetime.now(UTC) + REREAD,
    }


def _endpoint(profile: dict[str, str]) -> str:
    return _first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") or profile.get("endpoint_url", "")


def _first(*names: str) -> str:
    return next((value for name in names if (value := os.environ.get(name))), "")


def _profile() -> dict[str, str]:
    """Settings of the chosen profile; those of the file of credentials win."""
    name = _first("AWS_PROFILE", "AWS_DEFAULT_PROFILE") or "default"
    section = name if name == "default" else f"profile {name}"
    config = _section(os.environ.get("AWS_CONFIG_FILE", "~/.aws/config"), section)
    return config | _section(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"), name)


def _section(file: str, name: str) -> dict[str, str]:
    parser = ConfigParser(interpolation=None, default_section="")
    try:
        parser.read(Path(file).expanduser(), encoding="utf-8")
    except (Error, OSError, RuntimeError, UnicodeDecodeError):  # RuntimeError: a user without a home folder
        return {}
    return dict(parser[name]) if parser.has_section(name) else {}
