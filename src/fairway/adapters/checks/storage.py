"""The check of S3-compatible storage."""

import uuid
from typing import Any

from fairway.adapters.checks.asking import Asker
from fairway.adapters.checks.latency import timed
from fairway.domain.validation.findings import Finding, failed
from fairway.domain.validation.needs import S3Check

#: Codes of the service, and the finding that each makes.
_CODES = {
    "InvalidAccessKeyId": "dependency-credentials",
    "SignatureDoesNotMatch": "dependency-credentials",
    "AuthFailure": "dependency-credentials",
    "ExpiredToken": "dependency-credentials",
    "InvalidToken": "dependency-credentials",
    "AccessDenied": "dependency-rights",
    "NoSuchBucket": "dependency-missing",
}
_CONTENT = b"written by fairway validate"


def ask_s3(check: S3Check, asker: Asker) -> tuple[Finding, ...]:
    """Lists the bucket; with `write` also stores a small object, reads and removes it."""
    from botocore.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415 -- an extra
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004 -- that is its name there
        ConnectTimeoutError,
        HTTPClientError,
        NoCredentialsError,
        PartialCredentialsError,
        ReadTimeoutError,
    )

    bucket = str(asker.fill(check.bucket))
    subject, expected = f"S3 bucket {bucket}", "a bucket that can be listed"

    def ask() -> str | Finding:
        try:
            return _use(_client(check, asker), bucket, write=check.write)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            return failed(_CODES.get(code, "dependency-refused"), subject, expected, str(error))
        except (ConnectTimeoutError, ReadTimeoutError):
            return failed("dependency-timeout", subject, expected, f"no answer within {asker.timeout:g} s")
        except (NoCredentialsError, PartialCredentialsError) as error:
            return failed("dependency-credentials", subject, expected, str(error))
        except (ConnectionError, HTTPClientError) as error:
            return failed("dependency-unreachable", subject, expected, str(error))
        except (BotoCoreError, ValueError) as error:
            return failed("dependency-refused", subject, expected, str(error))

    return (timed(subject, check.seconds, ask),)


def _client(check: S3Check, asker: Asker) -> Any:
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415 -- an extra
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415

    return boto3.session.Session().client(
        "s3",
        endpoint_url=asker.fill(check.endpoint),
        region_name=check.region,
        aws_access_key_id=asker.fill(check.access_key),
        aws_secret_access_key=asker.fill(check.secret_key),
        verify=asker.place.settings.ca,
        config=Config(
            connect_timeout=asker.timeout,
            read_timeout=asker.timeout,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path" if check.endpoint else "auto"},
        ),
    )


def _use(client: Any, bucket: str, *, write: bool) -> str | Finding:
    """What came, in words.

    Raises:
        ClientError: it was refused.
    """
    listed = client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    if not write:
        return "listed, with objects" if listed.get("KeyCount") else "listed, empty"
    key = f"fairway-validate/{uuid.uuid4().hex}"
    client.put_object(Bucket=bucket, Key=key, Body=_CONTENT)
    try:
        read = client.get_object(Bucket=bucket, Key=key)["Body"].read(len(_CONTENT) + 1)
    finally:
        client.delete_object(Bucket=bucket, Key=key)
    if read != _CONTENT:
        return failed("dependency-refused", f"S3 bucket {bucket}", "the object as it was stored", f"{len(read)} bytes")
    return "stored, read and removed an object"
