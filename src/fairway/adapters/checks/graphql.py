"""The check of a GraphQL service: a query, and the schema against that of the stable revision."""

from typing import Any

from fairway.adapters.checks.asking import Asker
from fairway.adapters.checks.jsonpath import find
from fairway.domain.validation.assertions import judge_answer
from fairway.domain.validation.exchange import Answer, Exchange
from fairway.domain.validation.findings import Finding, errored, failed, passed, quoted, skipped
from fairway.domain.validation.probes import GraphqlCheck
from fairway.domain.validation.status import describe_status, status_code


def ask_graphql(check: GraphqlCheck, asker: Asker) -> tuple[Finding, ...]:
    """The query first; the schema only where there is one to compare with."""
    query = _ask_query(check, asker)
    against = str(asker.fill(check.against)) if check.against else asker.place.stable
    if query.outcome != "passed" or not check.schema or against is None or against.rstrip("/") == asker.base:
        return (query,)
    return (query, _compare(check, asker, against.rstrip("/")))


def _ask_query(check: GraphqlCheck, asker: Asker) -> Finding:
    subject = f"query to {check.path}"
    expected = "data without errors"
    body = {"query": asker.fill(check.query), "variables": asker.fill(dict(check.variables))}
    answer = _post(asker, asker.url(check.path), body)
    if not isinstance(answer, Exchange):
        return answer.finding(subject, expected)
    if check.optional and answer.status in (404, 405):
        return skipped("absent", subject, describe_status(answer))
    try:
        value = answer.json()
    except ValueError:
        code = "body-not-json" if answer.status < 400 else status_code(answer.status)
        return failed(code, subject, expected, describe_status(answer))
    # A failed query may come with any status: what it says counts.
    errors = value.get("errors") if isinstance(value, dict) else None
    if errors:
        listed = errors if isinstance(errors, list) else [errors]
        return failed("graphql-errors", subject, expected, "; ".join(_message(one) for one in listed[:3]))
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        return failed("body", subject, expected, quoted(answer.text))
    return judge_answer(answer, subject, check.expect, find)


def _message(error: Any) -> str:
    if not isinstance(error, dict):
        return quoted(str(error))
    place = error.get("path")
    path = ".".join(map(str, place)) if isinstance(place, list) else ""
    return quoted(str(error.get("message"))) + (f" at {path}" if path else "")


def _post(asker: Asker, url: str, body: dict[str, Any]) -> Answer:
    accept = (("Accept", "application/graphql-response+json, application/json"),)
    return asker.client().send("POST", url, headers=accept, body=body)


def _compare(check: GraphqlCheck, asker: Asker, against: str) -> Finding:
    from graphql import (  # noqa: PLC0415 -- an extra
        GraphQLError,
        build_client_schema,
        find_breaking_changes,
        get_introspection_query,
        is_specified_scalar_type,
    )

    subject, expected = f"schema of {check.path}", "no breaking change against the stable revision"
    schemas = []
    path = str(asker.fill(check.path))
    for base in (against, asker.base):
        answer = _post(asker, base + path, {"query": get_introspection_query(descriptions=False)})
        if not isinstance(answer, Exchange):
            return answer.finding(f"schema at {base}{path}", expected)
        try:
            schema = build_client_schema(answer.json()["data"])
            # Parts are put together when they are looked at; what is wrong with them is to show here.
            find_breaking_changes(schema, schema)
            schemas.append(schema)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, GraphQLError):
            came = f"{base}{path} does not show its schema: {quoted(answer.text)}"
            return errored("graphql-hidden", subject, expected, came)
    # A standard scalar that nothing uses any more is not described; that breaks nobody.
    for name, kind in schemas[0].type_map.items():
        if is_specified_scalar_type(kind):
            schemas[1].type_map.setdefault(name, kind)
    changes = [one.description for one in find_breaking_changes(*schemas)]
    broken = [one for one in changes if not any(allowed in one for allowed in check.allowed)]
    if broken:
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        return failed("graphql-breaking", subject, expected, " ".join(broken[:3]) + more)
    meant = f", {len(changes)} meant" if changes else ""
    return passed(subject, expected, f"{len(schemas[1].type_map)} types, none broken{meant}")
