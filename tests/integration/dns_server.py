"""A name server on loopback that knows what it is given, and misbehaves as it is told."""

import contextlib
import socket
import threading

import dns.message
import dns.rcode
import dns.rrset


@contextlib.contextmanager
def dns_server(names, *, silent=False, late=0.0, rcode=None, garbage=None, drops=0):
    """Its address; it answers by name and kind, NXDOMAIN for names that it does not know.

    Args:
        names: records by name; those of `{"shop.example.": {"A": [...]}}`.
        silent: it never answers.
        late: seconds until it does.
        rcode: what it answers in place of records.
        garbage: bytes that it sends in place of an answer.
        drops: questions that it loses before the first one that it answers.
    """
    lost = 0

    def serve():
        nonlocal lost
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                data, sender = listener.recvfrom(4096)
                if silent or lost < drops:
                    lost += 1
                    continue
                stop.wait(late)
                listener.sendto(garbage or reply(dns.message.from_wire(data), names, rcode).to_wire(), sender)

    stop = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(0.02)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


def reply(question, names, rcode):
    asked = question.question[0]
    answer = dns.message.make_response(question, recursion_available=True)
    records = names.get(asked.name.to_text())
    if rcode is not None or records is None:
        answer.set_rcode(dns.rcode.from_text(rcode or "NXDOMAIN"))
    for kind, values in (records or {}).items():
        if kind == dns.rdatatype.to_text(asked.rdtype):
            answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *values))
    return answer
