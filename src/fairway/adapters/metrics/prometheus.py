"""Prometheus by its HTTP API: instant queries at a given time.

https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries

A series whose target stopped answering ends at once (Prometheus marks it stale), so that an old number is never taken
for a new one. Numbers come as text; `NaN` and `+Inf` are passed on as they are.
"""

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from typing import Any

import httpx2

from fairway.adapters.metrics.settings import DELAY, TIMEOUT
from fairway.domain.errors import PermanentError, TransientError
from fairway.ports.metrics import Series

# At INFO it writes every query into the log.
logging.getLogger("httpx2").setLevel(logging.WARNING)

LARGEST = 4 * 1024 * 1024
"""Bytes of an answer that are read."""


class PrometheusSource:
    """Asks one Prometheus; see `PrometheusSettings` for the arguments.

    Args:
        url: without the path of the API.
        timeout: seconds for one query from beginning to end.
        delay: seconds by which queries look back.
        authorization_variable: name of the variable with the header Authorization, read at each query.
        environment: where variables are.
    """

    def __init__(
        self,
        *,
        url: str,
        timeout: float = TIMEOUT,
        delay: float = DELAY,
        authorization_variable: str | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._url = url
        self._timeout = timeout
        self._delay = delay
        self._authorization_variable = authorization_variable
        self._environment = environment

    def read(self, query: str, *, at: float) -> tuple[Series, ...]:
        """What the query gives; see the port."""
        status, body = self._ask({"query": query, "time": f"{at - self._delay:.3f}", "timeout": f"{self._timeout:g}s"})
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or answer.get("status") not in ("success", "error"):
            raise _unreadable(self._url, status, body)
        if answer["status"] == "error":
            raise _refusal(status, str(answer.get("errorType")), str(answer.get("error")))
        data = answer.get("data")
        return _series(data if isinstance(data, dict) else {})

    def _ask(self, parameters: Mapping[str, str]) -> tuple[int, bytes]:
        try:
            # Asynchronous, because only so one limit holds for all of it, however slowly the answer drips.
            return asyncio.run(_post(f"{self._url}/api/v1/query", parameters, self._headers(), self._timeout))
        except (TimeoutError, httpx2.TimeoutException) as problem:
            sentence = f"the Prometheus at {self._url} did not answer within {self._timeout:g} s"
            raise TransientError("metrics-timeout", sentence) from problem
        except (httpx2.HTTPError, OSError) as problem:
            sentence = f"the Prometheus at {self._url} could not be reached: {problem or type(problem).__name__}"
            raise TransientError("metrics-unreachable", sentence) from problem

    def _headers(self) -> dict[str, str]:
        name = self._authorization_variable
        if name is None:
            return {}
        value = self._environment.get(name, "").strip()
        if not value or not value.isascii() or not value.isprintable():
            sentence = f"the environment variable {name!r} with the header Authorization is not set, or cannot be one"
            raise TransientError("metrics-variable", sentence, "Set it where the controller is started.")
        return {"authorization": value}


async def _post(
    url: str, parameters: Mapping[str, str], headers: Mapping[str, str], timeout: float
) -> tuple[int, bytes]:
    async with (
        asyncio.timeout(timeout),
        httpx2.AsyncClient(timeout=timeout) as client,
        client.stream("POST", url, data=dict(parameters), headers=dict(headers)) as response,
    ):
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST:
                break
        return response.status_code, body


def _refusal(status: int, kind: str, said: str) -> PermanentError | TransientError:
    """What Prometheus calls `bad_data` and `execution` is wrong with the query; the rest may pass."""
    sentence = f"Prometheus refuses the query: {' '.join(said.split())[:300]}"
    if kind in ("bad_data", "execution"):
        return PermanentError("metrics-query", sentence, "Try it in the web page of Prometheus.")
    return TransientError("metrics-failed", f"Prometheus answered {status} ({kind}): {' '.join(said.split())[:300]}")


def _unreadable(url: str, status: int, body: bytes) -> PermanentError | TransientError:
    said = " ".join(body[:200].decode(errors="replace").split())
    sentence = f"what answered at {url} with status {status} is no Prometheus: {said!r}"
    if status in (401, 403, 404):
        return PermanentError("metrics-refused", sentence, "Check its URL and authorization_variable.")
    return TransientError("metrics-failed", sentence)


def _series(data: Mapping[str, Any]) -> tuple[Series, ...]:
    kind, result = data.get("resultType"), data.get("result")
    try:
        if kind == "scalar":
            return (("", float(result[1])),)  # type: ignore[index]
        if kind == "vector":
            return tuple(sorted((_key(one["metric"]), float(one["value"][1])) for one in result or ()))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as problem:
        raise PermanentError("metrics-answer", f"the answer of Prometheus cannot be read: {problem!r}") from problem
    sentence = f"the query gives a {kind}, where numbers at one moment are wanted"
    raise PermanentError("metrics-query", sentence, "Remove the range, or write rate, max_over_time or the like.")


def _key(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
