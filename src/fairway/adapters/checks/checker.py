"""The port `Checker`: every kind of check, performed from this machine. Their libraries load when they are used."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module

from fairway.adapters.checks.secrets import NoSecret
from fairway.domain.validation.checks import Check, HttpCheck
from fairway.domain.validation.findings import Finding, errored, lenient
from fairway.domain.validation.template import UnknownName
from fairway.ports.checks import Place
from fairway.ports.secrets import SecretReader

#: The function of each kind of check, by the class of its data.
_PLACES = {
    "HttpCheck": "web:ask_simple",
    "HealthCheck": "web:ask_health",
    "FlowCheck": "flows:ask_flow",
    "AuthCheck": "web:ask_auth",
    "Http2Check": "tls:ask_http2",
    "TlsCheck": "tls:ask_tls",
    "RedirectCheck": "delivery:ask_redirect",
    "GraphqlCheck": "graphql:ask_graphql",
    "MetricsCheck": "metrics:ask_metrics",
    "HeadersCheck": "delivery:ask_headers",
    "CorsCheck": "delivery:ask_cors",
    "RateLimitCheck": "timing:ask_rate_limit",
    "ResponseTimeCheck": "timing:ask_response_time",
    "BurstCheck": "timing:ask_burst",
    "CompressionCheck": "delivery:ask_compression",
    "ConditionalCheck": "delivery:ask_conditional",
    "PostgresCheck": "dependencies:ask_postgres",
    "RedisCheck": "dependencies:ask_redis",
    "S3Check": "storage:ask_s3",
    "ServiceCheck": "dependencies:ask_service",
    "DnsCheck": "names:ask_dns",
    "DatabaseCheck": "databases:ask_database",
    "ContractCheck": "contract:ask_contract",
}


@dataclass(frozen=True, slots=True)
class LocalChecker:
    """Performs checks; safe to use from several threads at once.

    Attributes:
        secrets: reads those that checks name.
    """

    secrets: SecretReader

    def check(self, check: Check | HttpCheck, place: Place) -> tuple[Finding, ...]:
        """See the port."""
        from fairway.adapters.checks.asking import Asker, BadAddress  # noqa: PLC0415 -- with the client; the controller starts without

        named = check if isinstance(check, Check) else Check(check.path, check)
        asker = Asker(named, place, self.secrets)
        begin = time.monotonic()
        try:
            findings = _find_function(type(named.probe).__name__)(named.probe, asker)
        except NoSecret as error:
            findings = (error.finding(named.name),)
        except UnknownName as error:
            findings = (errored("unknown-name", named.name, "a name that is known", f"{{{{{error.args[0]}}}}}"),)
        except BadAddress:
            came = "what it becomes with its names replaced is none: host or port are not as they may be"
            findings = (errored("bad-url", named.name, "the URL of a server", came),)
        except ModuleNotFoundError as error:
            findings = (_missing(named.name, error),)
        except Exception as error:  # noqa: BLE001 -- one check that fails must not hide what the others found
            findings = (errored("check-fault", named.name, "an answer", f"{type(error).__name__}: {error}"[:300]),)
        # Of several findings only their own times are known.
        spent = round(time.monotonic() - begin, 4) if len(findings) == 1 else 0.0
        findings = tuple(
            replace(
                one,
                check=named.name,
                seconds=round(one.seconds, 4) or spent,
                subject=asker.mask(one.subject),
                expected=asker.mask(one.expected),
                came=asker.mask(one.came),
            )
            for one in findings
        )
        return findings if named.required else lenient(findings)


def _find_function(kind: str) -> Callable[..., tuple[Finding, ...]]:
    module, _, function = _PLACES[kind].partition(":")
    found: Callable[..., tuple[Finding, ...]] = getattr(import_module(f"fairway.adapters.checks.{module}"), function)
    return found


def _missing(name: str, error: ModuleNotFoundError) -> Finding:
    extras = {"psycopg": "postgres", "redis": "redis", "boto3": "s3", "dns": "dns", "graphql": "graphql"}
    module = (error.name or "").partition(".")[0]
    extra = extras.get(module, "contract" if module == "schemathesis" else module)
    return errored("no-library", name, f"the library {module}", f'install it with: pip install "fairway[{extra}]"')
