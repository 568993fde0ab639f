"""What each finding means: the likely cause, and what to do. The reference of checks is made from this table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """Of one code.

    Attributes:
        cause: the most likely one, in a clause.
        advice: the next step, as an instruction.
    """

    cause: str
    advice: str


NOTHING = Meaning("", "")

MEANINGS: dict[str, Meaning] = {
    # No complete answer
    "refused": Meaning(
        "nothing listens there: the service is not running, or on another port",
        "look at its logs, and compare the port with `run.command` or the router's `listen`",
    ),
    "unresolved": Meaning(
        "the name is wrong, or its DNS record has not spread yet", "ask your DNS for the name; compare with the record"
    ),
    "unreachable": Meaning(
        "no way to the host: a firewall, a route, or the host is down", "try to connect from the same machine by hand"
    ),
    "timeout": Meaning(
        "the service hangs or is overloaded, or it waits for something that hangs itself",
        "look at what it waits for (database, lock, another service); raise `timeout` only if it may take so long",
    ),
    "reset": Meaning(
        "the process ended or was killed while it answered, or a proxy cut the connection",
        "look for a crash, an out-of-memory kill, and the proxy's log at that time",
    ),
    "incomplete": Meaning(
        "the service announced a longer body than it sent, or crashed while sending",
        "compare Content-Length with what the service writes; look for a crash",
    ),
    "not-http": Meaning(
        "another protocol speaks on this port, or HTTPS where HTTP was asked for, or the other way round",
        "compare the scheme and the port",
    ),
    "too-large": Meaning(
        "the body does not end, or is larger than any answer that a check should get",
        "check a smaller resource; look for a loop that writes without end",
    ),
    "tls": Meaning(
        "the certificate is not trusted here, is expired, or is for another name; or no common TLS version",
        "look at the check `tls`; a certificate authority of your own goes into `validation.ca`",
    ),
    "bad-url": Meaning("the address is not the URL of a server", "write http://HOST:PORT or https://HOST"),
    # Status
    "status": Meaning("the service answered otherwise than the check says", "compare the path and the service's log"),
    "status-3xx": Meaning("the address is a redirect", "check the address that it leads to"),
    "status-401": Meaning(
        "the credential is missing, wrong or expired", "compare the secret with the one that the service knows"
    ),
    "status-403": Meaning("the credential is valid but not allowed to do this", "look at its rights"),
    "status-404": Meaning(
        "the route does not exist in this release, or lies under another prefix",
        "compare with the routes of the service",
    ),
    "status-429": Meaning("a rate limit stopped the check", "let the limit pass, or exempt the address of the checks"),
    "status-5xx": Meaning(
        "an exception in the service, or something that it needs is missing",
        "look at the service's log at that time, then at its dependencies",
    ),
    "status-502": Meaning(
        "a proxy before the service got no answer from it", "look whether the instances are ready and listen"
    ),
    # Bodies and headers
    "body": Meaning("the service says something else than the check expects", "compare the answer with the check"),
    "body-not-json": Meaning(
        "an error page, a login page or a proxy's page came in place of JSON", "read the answer; look at Content-Type"
    ),
    "header": Meaning("the service, or a proxy before it, sets the header otherwise", "compare where it is set"),
    "slow": Meaning(
        "the service answers correctly but late: load, a cold cache, a missing index, a slow dependency",
        "compare with the release before; look at its traces and its database",
    ),
    "health-not-ok": Meaning(
        "the service says of itself that it is not well", "read what it says; look at the part that it names"
    ),
    "health-dependency": Meaning(
        "something that the service needs is not well, as it says itself",
        "look at that dependency from the service's host",
    ),
    "health-version": Meaning(
        "another release answers here: the switch has not happened, or a cache answers",
        "look at fairway status, and for a cache before the service",
    ),
    "health-shape": Meaning(
        "the body lacks what this endpoint should say", "add it, or write your own expectation in the check"
    ),
    "auth-open": Meaning(
        "the route is not protected: the check of the credential is missing or switched off",
        "protect the route at once",
    ),
    # Delivery
    "header-missing": Meaning("nobody sets this header", "set it in the service or in the proxy before it"),
    "header-weak": Meaning("the header is there and protects from little", "set the value that the finding names"),
    "header-telling": Meaning(
        "a framework or proxy tells what runs here, which saves an attacker work", "switch it off where it is set"
    ),
    "header-useless": Meaning("the header has no effect here", "send it over HTTPS only"),
    "cors-open": Meaning(
        "the service lets any origin in, or repeats the origin that asks", "list the origins that are meant"
    ),
    "cors-refused": Meaning("the origin or method is not on the service's list", "add it there"),
    "uncompressed": Meaning("compression is off, or not for this kind of content", "switch it on where answers leave"),
    "no-vary": Meaning(
        "caches may hand a compressed answer to a client that cannot read it", "send Vary: Accept-Encoding with it"
    ),
    "no-validator": Meaning("the service gives answers no tag and no date", "send ETag or Last-Modified"),
    "sent-again": Meaning(
        "the tag changes with each answer or instance, or conditions are ignored", "compare the tags of two answers"
    ),
    "no-redirect": Meaning("plain HTTP is served as it is", "redirect it to https where it arrives"),
    "redirect-elsewhere": Meaning("the redirect leads to another host", "redirect to the same host; then elsewhere"),
    "redirect-temporary": Meaning("browsers ask again over plain HTTP each time", "answer 301 or 308"),
    # TLS
    "not-https": Meaning("the check needs an address with TLS", "give it its own `url`, beginning with https"),
    "tls-old": Meaning("the server speaks a version that is broken", "switch old versions off"),
    "tls-expired": Meaning("the certificate was not renewed in time, or a clock is wrong", "renew it now"),
    "tls-expiring": Meaning("the renewal has not run, or failed", "look at what renews certificates"),
    "tls-untrusted": Meaning(
        "self-signed, an intermediate certificate is missing, or it is for another name",
        "serve the whole chain; an authority of your own goes into `validation.ca`",
    ),
    "no-http2": Meaning("the server, or the proxy that ends TLS, does not offer h2", "switch it on there"),
    # Metrics, times, GraphQL
    "metrics-malformed": Meaning("the text is not what Prometheus reads: it drops the whole scrape", "mend that line"),
    "metrics-missing": Meaning(
        "the series was renamed, or appears only with the first event", "create it at the start"
    ),
    "burst": Meaning(
        "too few workers, connections or file handles; or a lock that only one request can hold",
        "repeat with fewer; look at the limits of workers and pools",
    ),
    "no-limit": Meaning(
        "there is no limit, or it is higher, or counts by another key", "compare with its configuration"
    ),
    "no-retry-after": Meaning("clients are not told when to come again", "send Retry-After with 429"),
    "graphql-errors": Meaning("a resolver failed, or the query does not fit the schema", "read the errors"),
    "graphql-breaking": Meaning(
        "clients of the stable revision would fail",
        "keep the old field and deprecate it, or list the change as allowed",
    ),
    "graphql-hidden": Meaning(
        "introspection is switched off", "allow it on the candidate's own address, or `schema: false`"
    ),
    # Flows
    "not-captured": Meaning("the answer lacks the value that later requests need", "compare the path with the answer"),
    "nothing-made": Meaning("the requests that make something did not get that far", "look at the request that failed"),
    # What a service needs
    "dependency-unreachable": Meaning(
        "it does not run, or a firewall, a route or a name keeps this machine from it",
        "try to connect from the machine of the service; a check runs where Fairway runs",
    ),
    "dependency-timeout": Meaning(
        "it is overloaded, or packets are dropped on the way", "look at its load, then at firewalls that drop silently"
    ),
    "dependency-slow": Meaning(
        "it answers, but late: load, distance, or a cold connection", "compare with usual times; look at its load"
    ),
    "dependency-credentials": Meaning(
        "the name or password is wrong, expired or was rotated", "compare the secret with what the other side knows"
    ),
    "dependency-rights": Meaning("the account is known but may not do this", "grant what the service needs"),
    "dependency-missing": Meaning(
        "the database or bucket does not exist there, or has another name", "compare the name; create it"
    ),
    "dependency-full": Meaning("all connections are taken", "look who holds them; raise the limit or pool connections"),
    "dependency-refused": Meaning("it answers with a fault of its own", "read what it says, and its log"),
    "dns-missing": Meaning("there is no such record", "create it; a new one may take its time to spread"),
    "dns-no-record": Meaning(
        "the name has records of other kinds only", "create the record, or compare the kind that is asked for"
    ),
    "dns-other": Meaning("the name leads elsewhere", "compare the record; an old one may still be cached"),
    # Databases
    "database-constraint": Meaning(
        "the constraint was added without looking at the rows that were there, or its trigger is off",
        "ALTER TABLE … VALIDATE CONSTRAINT, after the rows are mended",
    ),
    "database-broken-row": Meaning(
        "rows point to rows that do not exist: the constraint was off for a while", "mend or remove those rows"
    ),
    "database-index": Meaning(
        "CREATE INDEX CONCURRENTLY failed half-way: the index costs and serves nothing", "drop it and create it again"
    ),
    "database-lag": Meaning(
        "the standby cannot keep up, or its replay is paused", "look at its load, its disk and the connection"
    ),
    "database-standby": Meaning(
        "a standby does not run, or cannot reach its primary", "look at its log; a slot that nobody uses fills the disk"
    ),
    "database-connections": Meaning(
        "connections are not given back, or too many instances have pools", "look at pg_stat_activity by application"
    ),
    "database-size": Meaning("a table grew beyond what was expected", "look for what is never removed"),
    "database-corrupt": Meaning("the file is damaged: a crash, a bad disk, or a copy taken while in use", "restore it"),
    "database-no-tables": Meaning("another database or schema, or migrations never ran", "compare the URL"),
    # Contract
    "contract": Meaning(
        "the service does not keep what its description promises", "send the request again that the finding shows"
    ),
    "contract-schema": Meaning("there is no OpenAPI description there, or it is not valid", "compare the path"),
    # Configuration of the check itself
    "no-secret": Meaning(
        "the variable, the file or the command that the secret is in gives no value",
        "do what the finding says; for rollouts variables must be there when the controller starts: fairway down, "
        "fairway up",
    ),
    "secret-exposed": Meaning(
        "the address of the check uses a secret, and other people's processes see addresses", "send it in a header"
    ),
    "unknown-name": Meaning("a misspelt name, or a request before it captured nothing", "compare the names"),
    "no-library": Meaning("an optional part of Fairway is not installed", "install the extra that the finding names"),
    "check-fault": Meaning("a fault in Fairway's own check", "report it with the command's output"),
    "unanswered": Meaning("an earlier question got no answer", "look at that finding first"),
    "absent": Meaning("the service does not offer this", "nothing, if it need not"),
}


def meaning_of(code: str) -> Meaning:
    """The meaning of a finding's code; nothing for `ok` and for codes of other packages."""
    return MEANINGS.get(code, NOTHING)
