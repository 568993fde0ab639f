"""Security headers after the lists of the OWASP Secure Headers Project: what an answer should carry, and what not.

Left alone, because they depend on the page and not on the service: Cache-Control, Clear-Site-Data and
X-DNS-Prefetch-Control. `Server` may stand there without a version.
"""

import re
from collections.abc import Callable, Iterator

from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.findings import Finding, failed, passed

#: Seconds for which browsers must remember to use TLS: half a year, below which OWASP counts it as too short.
_LEAST_AGE = 15_552_000
_POLICIES = {
    "no-referrer",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "no-referrer-when-downgrade",
}

#: Headers that tell an attacker what runs here, in lower case.
# fmt: off
_TELLING = (
    "x-powered-by", "x-powered-by-plesk", "x-powered-cms", "powered-by", "x-server-powered-by", "x-cf-powered-by",
    "x-aspnet-version", "x-aspnetmvc-version", "x-php-version", "x-generator", "x-generated-by", "x-framework",
    "x-cms", "x-owa-version", "x-sourcefiles", "x-sourcemap", "sourcemap", "x-redirect-by", "x-varnish-backend",
    "x-varnish-server", "x-jitsi-release", "x-umbraco-version", "x-cocoon-version", "x-nextjs-page",
    "x-nextjs-matched-path", "x-turbo-charged-by", "x-mod-pagespeed", "x-page-speed", "x-envoy-original-dst-host",
    "x-beserver", "x-feserver", "x-diaginfo", "x-calculatedbetarget", "liferay-portal", "product", "pega-host",
    "k-proxy-request", "oraclecommercecloud-version",
)
# fmt: on

Judge = Callable[[str], bool]


def _frame(value: str) -> bool:
    return value.strip().lower() in ("deny", "sameorigin")


def _policy(value: str) -> bool:
    """A content security policy that restricts scripts: a source list for them or for everything, not open to all."""
    directives = {words[0].lower(): words[1:] for part in value.split(";") if (words := part.split())}
    sources = directives.get("script-src", directives.get("default-src"))
    return sources is not None and not {"*", "http:", "https:", "data:"} & set(sources) and _no_inline(sources)


def _no_inline(sources: list[str]) -> bool:
    keyed = any(one.startswith(("'nonce-", "'sha256-", "'sha384-", "'sha512-")) for one in sources)
    return keyed or "'unsafe-inline'" not in sources


def _age(value: str) -> bool:
    found = re.search(r'max-age\s*=\s*"?(\d+)', value, re.IGNORECASE)
    return found is not None and int(found[1][:12]) >= _LEAST_AGE


def _is(*words: str) -> Judge:
    return lambda value: value.strip().lower() in words


#: Name, whether a value is good, and a good one.
_WANTED: tuple[tuple[str, Judge, str], ...] = (
    ("X-Content-Type-Options", _is("nosniff"), "nosniff"),
    ("X-Frame-Options", _frame, "DENY, or frame-ancestors in Content-Security-Policy"),
    ("Content-Security-Policy", _policy, "a policy whose script-src or default-src is neither open nor unsafe-inline"),
    ("Referrer-Policy", lambda value: value.split(",")[-1].strip().lower() in _POLICIES, "no-referrer"),
    ("Permissions-Policy", lambda value: "=" in value, "a list of features that are off, such as camera=()"),
    (
        "Cross-Origin-Opener-Policy",
        _is("same-origin", "same-origin-allow-popups", "noopener-allow-popups"),
        "same-origin",
    ),
    ("Cross-Origin-Resource-Policy", _is("same-origin", "same-site", "cross-origin"), "same-origin"),
    ("X-Permitted-Cross-Domain-Policies", _is("none", "master-only"), "none"),
)
#: What means something for documents only; for other content it is not asked for.
_OF_DOCUMENTS = frozenset({"Permissions-Policy", "Cross-Origin-Opener-Policy", "X-Permitted-Cross-Domain-Policies"})


def judge_headers(exchange: Exchange, subject: str, *, secure: bool, ignore: tuple[str, ...]) -> tuple[Finding, ...]:
    """One finding for each header that is missing, weak or telling; one for all if there is none.

    Args:
        exchange: any answer.
        subject: as it was asked.
        secure: it came over TLS.
        ignore: names of headers that are not looked at.
    """
    left = {name.lower() for name in ignore}
    problems = [one for one in _problems(exchange, secure=secure) if one[0].lower() not in left]
    findings = tuple(failed(code, subject, expected, came) for _, code, expected, came in problems)
    if findings:
        return findings
    return (
        passed(subject, "security headers after OWASP", f"{len(exchange.headers)} headers, none missing or telling"),
    )


def _problems(exchange: Exchange, *, secure: bool) -> Iterator[tuple[str, str, str, str]]:
    """Name, code, expected and came."""
    document = (exchange.header("content-type") or "").startswith(("text/html", "application/xhtml"))
    ancestors = "frame-ancestors" in (exchange.header("content-security-policy") or "")
    for name, is_good, good in _WANTED:
        if (name in _OF_DOCUMENTS and not document) or (name == "X-Frame-Options" and ancestors):
            continue
        yield from _problem(exchange, name, is_good, good)
    if secure:
        good = "max-age=31536000; includeSubDomains"
        yield from _problem(exchange, "Strict-Transport-Security", _age, good)
    elif exchange.header("strict-transport-security") is not None:
        came = "Strict-Transport-Security over plain HTTP, where browsers ignore it"
        yield "Strict-Transport-Security", "header-useless", "no such header", came
    yield from _telling(exchange)


def _problem(exchange: Exchange, name: str, is_good: Judge, good: str) -> Iterator[tuple[str, str, str, str]]:
    value = exchange.header(name)
    if value is None:
        yield name, "header-missing", f"{name}: {good}", f"no {name}"
    elif not is_good(value):
        yield name, "header-weak", f"{name}: {good}", f"{name}: {value[:120]}"


def _telling(exchange: Exchange) -> Iterator[tuple[str, str, str, str]]:
    for name in _TELLING:
        value = exchange.header(name)
        if value is not None:
            yield name, "header-telling", f"no {name}", f"{name}: {value[:120]}"
    server = exchange.header("server")
    if server is not None and re.search(r"\d", server):
        yield "Server", "header-telling", "Server without a version, or none", f"Server: {server[:120]}"
    filter_ = exchange.header("x-xss-protection")
    if filter_ is not None and not filter_.strip().startswith("0"):
        came = f"X-XSS-Protection: {filter_[:120]}"
        yield "X-XSS-Protection", "header-weak", "no X-XSS-Protection, or 0: the filter itself opened holes", came
