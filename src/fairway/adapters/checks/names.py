"""The check of a name: is the answer there, in time, and the one that it should be?"""

import ipaddress
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fairway.adapters.checks.asking import Asker, BadAddress
from fairway.adapters.checks.latency import timed
from fairway.domain.validation.findings import Finding, failed
from fairway.domain.validation.needs import DnsCheck

if TYPE_CHECKING:
    import dns.resolver

#: Seconds until a question is sent again, at least: a datagram may be lost.
_AGAIN = 2.0


def ask_dns(check: DnsCheck, asker: Asker) -> tuple[Finding, ...]:
    """Asks a name server, without its cache in between where one is named."""
    import dns.exception  # noqa: PLC0415 -- an extra
    import dns.resolver  # noqa: PLC0415

    host, subject = str(asker.fill(check.host)), f"DNS {check.kind} {check.host}"
    expected = f"records {', '.join(check.records)}" if check.records else "a record"
    server = None if check.server is None else str(asker.fill(check.server))

    def ask() -> str | Finding:
        try:
            resolver = _resolver(server, asker.timeout)
            answer = resolver.resolve(host, check.kind, lifetime=asker.timeout, search=False)
        except (dns.exception.DNSException, OSError) as error:
            code, came = _explain(error, check.kind, asker.timeout)
            return failed(code, subject, expected, came)
        found = sorted(record.to_text().strip('"').rstrip(".") for record in answer)
        missing = [one for one in check.records if one.rstrip(".") not in found]
        if missing:
            return failed("dns-other", subject, expected, f"{', '.join(found)}, without {', '.join(missing)}")
        return ", ".join(found)

    return (timed(subject, check.seconds, ask),)


def _resolver(server: str | None, timeout: float) -> "dns.resolver.Resolver":
    """What asks the server, else those of this machine, each by questions that see that nobody listens.

    Raises:
        OSError: the server's own name has no address.
    """
    import dns.nameserver  # noqa: PLC0415 -- an extra
    import dns.query  # noqa: PLC0415
    import dns.resolver  # noqa: PLC0415

    class Direct(dns.nameserver.Do53Nameserver):
        def query(self, request: Any, timeout: float, *rest: Any, **options: Any) -> Any:
            is_large = options.get("max_size", rest[2] if len(rest) > 2 else False)
            if is_large:
                return super().query(request, timeout, *rest, **options)
            # Only a connected socket is told that there is no such port, and what is no answer is not waited out.
            family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as asking:
                asking.setblocking(False)
                asking.connect((self.address, self.port))
                return dns.query.udp(
                    request, self.address, timeout, port=self.port, sock=asking, raise_on_truncation=True
                )

    resolver = dns.resolver.Resolver(configure=server is None)
    places = [(str(one), 53) for one in resolver.nameservers] if server is None else [_place(server)]
    resolver.nameservers = [Direct(*place) for place in places]
    resolver.timeout = max(_AGAIN, timeout / 2 / max(1, len(places)))
    return resolver


def _explain(error: Exception, kind: str, timeout: float) -> tuple[str, str]:
    """Code and words of what came in place of records."""
    import dns.resolver  # noqa: PLC0415 -- an extra

    if isinstance(error, dns.resolver.NXDOMAIN):
        return "dns-missing", str(error)
    if isinstance(error, dns.resolver.NoAnswer):
        return "dns-no-record", f"the name exists, without a record {kind}"
    if isinstance(error, dns.resolver.LifetimeTimeout):
        return "dependency-timeout", f"no answer within {timeout:g} s"
    if isinstance(error, dns.resolver.NoNameservers):
        return _explain_servers(error)
    return "dependency-unreachable", str(error)[:200]


def _explain_servers(error: Any) -> tuple[str, str]:
    """Why none of the servers gave an answer: not there, or answered with a fault."""
    import dns.rcode  # noqa: PLC0415 -- an extra

    *_, (server, _, _, why, response) = error.kwargs["errors"]
    place = server.removeprefix("Do53:")
    if response is not None:
        return "dependency-refused", f"{place} answers {dns.rcode.to_text(response.rcode())}"
    if isinstance(why, OSError):
        return "dependency-unreachable", f"{place}: {why.strerror or why}"
    return "dependency-refused", f"{place} sends what is no answer: {type(why).__name__}"


def _place(text: str) -> tuple[str, int]:
    """Address and port of a name server; a name is looked up.

    Raises:
        BadAddress: it is no `HOST` or `HOST:PORT`.
        OSError: its name has no address.
    """
    try:
        ipaddress.ip_address(text.strip("[]"))
        return text.strip("[]"), 53
    except ValueError:
        pass
    try:
        parts = urlsplit(f"dns://{text}")
        host, port = parts.hostname, parts.port or 53
    except ValueError:
        raise BadAddress from None
    if not host:
        raise BadAddress
    return str(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4][0]), port
