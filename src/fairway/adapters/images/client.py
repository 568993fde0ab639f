"""One repository of an image registry, asked by the OCI distribution specification 1.1.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
TLS is left out for this machine only. What is read is checked against the digest that was asked for.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

import httpx2

from fairway.adapters.images.bounded import LARGEST, open_answer, read_answer, read_rest
from fairway.adapters.images.connection import explain_silence, open_client
from fairway.adapters.images.credentials import Credentials
from fairway.adapters.images.tokens import Tokens
from fairway.domain.errors import AmbiguousError, FairwayError, PermanentError, TransientError
from fairway.domain.images.manifests import DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST, Descriptor
from fairway.domain.images.reference import Reference, is_loopback

# At INFO it writes every URL into the log, and tokens stand in some.
logging.getLogger("httpx2").setLevel(logging.WARNING)

_ACCEPT = ", ".join((INDEX, MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST))
_PASSING = frozenset({408, 425, 429})
_CHUNK = 1 << 20
_SHOWN = 300


class Repository:
    """A repository; requests share one connection until it is closed.

    Args:
        reference: names it; its tag and digest do not matter.
        credentials: who signs in, if the registry asks.
        timeout: seconds without an answer.
    """

    def __init__(self, reference: Reference, credentials: Credentials, *, timeout: float = 60.0) -> None:
        self.name = reference.repository
        self._path = reference.path
        scheme = "http" if is_loopback(reference.host) else "https"
        self._origin = f"{scheme}://{reference.host}"
        self._tokens = Tokens(reference, credentials, timeout=timeout)
        self._client = open_client(timeout=timeout, headers={"user-agent": "fairway"}, trust_env=scheme == "https")

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()

    def resolve(self, what: str) -> Descriptor | None:
        """What a tag or digest stands for; None if there is nothing."""
        answer = self._ask("GET", f"manifests/{what}", headers={"accept": _ACCEPT})
        if answer.status_code == 404:
            return None
        content = self._manifest(answer, what)
        media = answer.headers.get("content-type", "").partition(";")[0].strip()
        return Descriptor(media, _digest(content), len(content))

    def read(self, digest: str) -> bytes:
        """A manifest or index, checked."""
        answer = self._ask("GET", f"manifests/{digest}", headers={"accept": _ACCEPT})
        if answer.status_code == 404:
            raise PermanentError("image-missing", f"{self.name} has no {digest}", "push the image again")
        return self._manifest(answer, digest)

    def has(self, part: Descriptor, *, manifest: bool = False) -> bool:
        """The part is there."""
        answer = self._ask("HEAD", f"{'manifests' if manifest else 'blobs'}/{part.digest}", headers={"accept": _ACCEPT})
        if answer.status_code != 404:
            self._require(answer)
        return answer.status_code != 404

    def stream(self, part: Descriptor) -> Iterator[bytes]:
        """A blob in pieces; the last one comes after the whole was checked."""
        hasher, held, left = hashlib.sha256(), b"", part.size
        with self._open(f"blobs/{part.digest}") as answer:
            for chunk in answer.iter_bytes(_CHUNK):
                hasher.update(chunk)
                left -= len(chunk)
                if left < 0:
                    break
                if held:
                    yield held
                held = chunk
        if left or f"sha256:{hasher.hexdigest()}" != part.digest:
            raise TransientError("image-damaged", f"{self.name} sent other bytes than {part.digest}", "try again")
        yield held

    def send_blob(self, part: Descriptor, content: Iterable[bytes], *, mount: str | None = None) -> None:
        """Sends a blob; where the registry has it in the repository `mount`, nothing travels."""
        query = f"?mount={part.digest}&from={mount}" if mount else ""
        answer = self._ask("POST", f"blobs/uploads/{query}", headers={"content-length": "0"})
        self._require(answer)
        if answer.status_code == 201:
            return
        place = self._upload_place(answer.headers.get("location", ""), part.digest)
        headers = {"content-type": "application/octet-stream", "content-length": str(part.size)}
        self._require(self._send("PUT", place, content=content, headers=headers))

    def send_manifest(self, content: bytes, media: str, what: str) -> bool:
        """Puts a manifest under a tag or its digest; says whether the registry keeps track of what refers to what."""
        answer = self._send("PUT", self._url(f"manifests/{what}"), content=content, headers={"content-type": media})
        self._require(answer)
        return "oci-subject" in answer.headers

    def list_referrers(self, digest: str) -> list[dict[str, Any]]:
        """Descriptors of the manifests about this digest; where the registry keeps no list, by the tag in its place."""
        answer = self._ask("GET", f"referrers/{digest}", headers={"accept": INDEX})
        # Registries older than the list do not know the path, or take it for that of something else.
        if answer.status_code in (400, 404, 405):
            found = self.resolve(digest.replace(":", "-"))
            if found is None:
                return []
            return _manifests(self.read(found.digest))
        self._require(answer)
        if len(answer.content) > LARGEST:
            sentence = f"{self.name} lists more about {digest} than {LARGEST >> 20} MiB hold"
            raise PermanentError("registry-refused", sentence, "remove from the registry what nobody needs")
        return _manifests(answer.content)

    def _upload_place(self, location: str, digest: str) -> str:
        try:
            place = urljoin(f"{self._origin}/", location)
            place += f"{'&' if urlsplit(place).query else '?'}digest={digest}"
            return str(httpx2.URL(place))
        except (ValueError, httpx2.InvalidURL) as error:
            sentence = f"{self.name} sends uploads to {location[:_SHOWN]!r}, which is no address"
            raise PermanentError("registry-refused", sentence, "look at the settings of the registry") from error

    def _url(self, path: str) -> str:
        return f"{self._origin}/v2/{self._path}/{path}"

    def _ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """An answer to a question; one that changes nothing may be asked again."""
        try:
            return self._signed(method, self._url(path), **more)
        except (httpx2.HTTPError, OSError) as error:
            raise self._silent(error) from error

    def _send(self, method: str, url: str, **more: Any) -> httpx2.Response:
        try:
            return self._signed(method, url, **more)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise self._silent(error) from error
        except (httpx2.HTTPError, OSError) as error:
            sentence = f"{self.name} gave no answer to an upload: {str(error).strip() or type(error).__name__}"
            hint = "it is looked at before anything is sent again"
            raise AmbiguousError("registry-no-answer", sentence, hint) from error

    def _signed(self, method: str, url: str, **more: Any) -> httpx2.Response:
        """Signs in when the registry asks for it. Uploads are asked for first, so that their bytes travel once."""
        # A name and password go to the registry itself only, wherever it says that uploads go.
        own = url.startswith(f"{self._origin}/")
        headers = {**more.pop("headers", {}), **(self._tokens.headers() if own else {})}
        follow = method in ("GET", "HEAD")
        request = self._client.build_request(method, url, headers=headers, **more)
        answer = read_answer(self._client, request, follow=follow)
        asked = answer.headers.get("www-authenticate", "")
        again = isinstance(more.get("content", b""), bytes)
        if answer.status_code == 401 and own and again and self._tokens.sign_in(asked):
            headers |= self._tokens.headers()
            request = self._client.build_request(method, url, headers=headers, **more)
            answer = read_answer(self._client, request, follow=follow)
        return answer

    @contextmanager
    def _open(self, path: str) -> Iterator[httpx2.Response]:
        # Asked without the bytes first, so that signing in is over.
        self._require(self._ask("HEAD", path))
        try:
            request = self._client.build_request("GET", self._url(path), headers=self._tokens.headers())
            with closing(open_answer(self._client, request, follow=True)) as answer:
                self._require(read_rest(answer) if answer.status_code >= 300 else answer)
                yield answer
        except (httpx2.HTTPError, OSError) as error:
            raise self._silent(error) from error

    def _manifest(self, answer: httpx2.Response, what: str) -> bytes:
        self._require(answer)
        content = answer.content
        if len(content) > LARGEST:
            raise PermanentError("not-an-image", f"{self.name}@{what} is no manifest: more than {LARGEST >> 20} MiB")
        if what.startswith("sha256:") and _digest(content) != what:
            raise TransientError("image-damaged", f"{self.name} sent other bytes than {what}", "try again")
        return content

    def _require(self, answer: httpx2.Response) -> None:
        if answer.status_code >= 300:
            self._refuse(answer)

    def _refuse(self, answer: httpx2.Response) -> NoReturn:
        status = answer.status_code
        said = _said(answer)
        sentence = f"{self.name} answered {status} {answer.reason_phrase}" + (f": {said}" if said else "")
        if status in (401, 403):
            hint = "look at the name and password: user and password_variable, or podman login"
            raise PermanentError("registry-refused", sentence, hint)
        if status >= 500 or status in _PASSING:
            raise TransientError("registry-trouble", sentence, "try again later")
        raise PermanentError("registry-refused", sentence, "see what it says, then try again")

    def _silent(self, error: Exception) -> FairwayError:
        return explain_silence(self.name, error)


def _said(answer: httpx2.Response) -> str:
    """The registry's own words, by its format of errors if it keeps to it."""
    try:
        errors = answer.json()["errors"]
        return "; ".join(f"{one.get('code')}: {one.get('message')}" for one in errors)[:_SHOWN]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError, httpx2.ResponseNotRead):
        return " ".join(answer.text.split())[:_SHOWN] if answer.is_closed and answer.request.method != "HEAD" else ""


def _manifests(content: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(content).get("manifests")
    except (ValueError, RecursionError, AttributeError):
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
