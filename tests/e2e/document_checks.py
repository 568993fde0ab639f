"""The generated parts of the reference of checks: the keys of each kind, and what each finding means."""

from fairway.config.check_values import CheckSection, ExpectSection, RequestSection
from fairway.config.durations import format_duration
from fairway.config.validation import CHECK_KINDS
from fairway.domain.validation.meanings import MEANINGS

SHARED = {"common": CheckSection, "request": RequestSection, "expect": ExpectSection}


def describe_check(kind: str) -> str:
    """What a kind checks, and its own keys; those of every check, of a request and of an expectation once."""
    model = SHARED.get(kind) or CHECK_KINDS[kind]
    needs = kind in ("postgres", "redis", "service", "database")
    shared = set() if kind in SHARED else set(CheckSection.model_fields) - ({"url"} if needs else set())
    rows = []
    for name, field in model.model_fields.items():
        if name in shared:
            continue
        example = f"`{_flow(field.examples[0])}`" if field.examples else ""
        value = None if field.is_required() else field.get_default(call_default_factory=True)
        default = "**required**" if field.is_required() else _default(name, value)
        rows.append((f"`{field.alias or name}`", default, (field.description or "").replace("\n", " "), example))
    summary = "" if kind in SHARED else f"{model.__doc__}\n\n"
    return summary + _table(("key", "default", "meaning", "example"), rows) if rows else summary.strip()


def describe_findings(_: str) -> str:
    rows = [(f"`{code}`", one.cause, one.advice) for code, one in MEANINGS.items()]
    return _table(("finding", "likely cause", "what to do"), rows)


def _default(name: str, value: object) -> str:
    if value is None or value in ([], {}) or hasattr(value, "model_dump"):
        return f"`{value.path}`" if hasattr(value, "path") else ""
    if isinstance(value, float):
        durations = {"pause", "max_time", "timeout", "lag", "limit"}
        return f"`{format_duration(value)}`" if name in durations else f"`{value * 100:g}%`"
    return f"`{_flow(value)}`"


def _flow(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    text = str(value)
    return f'"{text}"' if isinstance(value, str) and (text[0] in "{*[" or ": " in text) else text


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)
