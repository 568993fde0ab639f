"""A name server on loopback that knows what it is given."""

import contextlib
import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


@contextlib.contextmanager
def dns_server(names, *, silent=False):
    """Its address; it answers A records by name, and NXDOMAIN for others."""

    def serve():
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                data, sender = listener.recvfrom(4096)
                if not silent:
                    listener.sendto(reply(dns.message.from_wire(data)).to_wire(), sender)

    def reply(question):
        name = question.question[0].name.to_text()
        answer = dns.message.make_response(question, recursion_available=True)
        if name in names:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", *names[name]))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

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
