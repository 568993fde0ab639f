"""Answers of registries, of which no more is ever read than what can be meant, however much is sent."""

from contextlib import closing

import httpx2

#: Bytes. The specification lets a registry refuse larger manifests; nothing larger is read either.
LARGEST = 4 << 20
_REDIRECTS = 20


def open_answer(client: httpx2.Client, request: httpx2.Request, *, follow: bool) -> httpx2.Response:
    """The answer before its body is read; who calls closes it.

    Args:
        client: sends the request.
        request: what is asked.
        follow: whether it may be asked elsewhere, as the answer says.

    Raises:
        httpx2.HTTPError: there is none.
    """
    for _ in range(_REDIRECTS):
        answer = client.send(request, stream=True)
        if not follow or answer.next_request is None:
            return answer
        request = answer.next_request
        read_rest(answer)
    raise httpx2.TooManyRedirects(f"more than {_REDIRECTS} redirections", request=request)


def read_answer(client: httpx2.Client, request: httpx2.Request, *, follow: bool = False) -> httpx2.Response:
    """The answer with its body, of which one byte more than `LARGEST` is kept at most; arguments as above.

    Raises:
        httpx2.HTTPError: there is none.
    """
    return read_rest(open_answer(client, request, follow=follow))


def read_rest(answer: httpx2.Response) -> httpx2.Response:
    """The same answer with its body, unpacked, cut as above. What was cut off is never received."""
    content = bytearray()
    with closing(answer):
        for chunk in answer.iter_bytes():
            content += chunk
            if len(content) > LARGEST:
                break
    headers = [(key, value) for key, value in answer.headers.multi_items() if key.lower() != "content-encoding"]
    return httpx2.Response(
        answer.status_code,
        headers=headers,
        content=bytes(content[: LARGEST + 1]),
        request=answer.request,
        extensions={key: answer.extensions[key] for key in ("reason_phrase",) if key in answer.extensions},
    )
