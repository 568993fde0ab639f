"""Finds the application object in Python source, by reading it; nothing is run or imported."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Protocol = Literal["asgi", "wsgi"]

# Class or function whose result is an application.
_MAKERS: dict[str, tuple[Protocol, str]] = {
    "fastapi.FastAPI": ("asgi", "FastAPI"),
    "starlette.applications.Starlette": ("asgi", "Starlette"),
    "litestar.Litestar": ("asgi", "Litestar"),
    "quart.Quart": ("asgi", "Quart"),
    "sanic.Sanic": ("asgi", "Sanic"),
    "blacksheep.Application": ("asgi", "BlackSheep"),
    "falcon.asgi.App": ("asgi", "Falcon"),
    "django.core.asgi.get_asgi_application": ("asgi", "Django"),
    "flask.Flask": ("wsgi", "Flask"),
    "bottle.Bottle": ("wsgi", "Bottle"),
    "bottle.default_app": ("wsgi", "Bottle"),
    "falcon.App": ("wsgi", "Falcon"),
    "django.core.wsgi.get_wsgi_application": ("wsgi", "Django"),
    "apiflask.APIFlask": ("wsgi", "APIFlask"),
}
_NAMES = ("app", "application", "api", "asgi", "wsgi", "server")
_FILES = ("main", "app", "application", "asgi", "wsgi", "server", "api", "__init__", "web")


@dataclass(frozen=True, slots=True)
class App:
    """An application object, or a function that makes one.

    Attributes:
        file: where it stands.
        name: what it is called there.
        protocol: what calls it.
        framework: what made it; "ASGI" or "WSGI" if it is a plain function.
        factory: it is a function without arguments that returns the application.
    """

    file: str
    name: str
    protocol: Protocol
    framework: str
    factory: bool = False


def find_apps(sources: Mapping[str, str]) -> tuple[App, ...]:
    """All application objects, the likeliest first.

    Args:
        sources: text by path, in the order of nearness to the top.
    """
    found = [app for path, text in sources.items() for app in _apps_in(path, text)]
    return tuple(sorted(found, key=_rank))


def _apps_in(path: str, text: str) -> Iterator[App]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    imports = _imports(tree)
    for statement in tree.body:
        value = getattr(statement, "value", None)
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(value, ast.Call):
            made = _MAKERS.get(_full_name(value.func, imports))
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                if made and isinstance(target, ast.Name):
                    yield App(path, target.id, *made)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _function(path, statement, imports)


def _function(path: str, function: ast.FunctionDef | ast.AsyncFunctionDef, imports: dict[str, str]) -> Iterator[App]:
    arguments = [argument.arg for argument in function.args.args]
    if isinstance(function, ast.AsyncFunctionDef):
        if arguments == ["scope", "receive", "send"]:
            yield App(path, function.name, "asgi", "ASGI")
        return
    if len(arguments) == 2 and arguments[0] in ("environ", "env") and arguments[1] == "start_response":
        yield App(path, function.name, "wsgi", "WSGI")
        return
    required = len(arguments) - len(function.args.defaults)
    if required or not any(word in function.name for word in ("create", "make", "build", "get_app")):
        return
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and (made := _MAKERS.get(_full_name(node.func, imports))):
            yield App(path, function.name, *made, factory=True)
            return


def _imports(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for, in full."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
    return names


def _full_name(node: ast.expr, imports: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([imports.get(node.id, node.id), *reversed(parts)])


def _rank(app: App) -> tuple[int, ...]:
    """An object before a function that makes one, a usual name before an unusual one, ASGI of Django after its WSGI."""
    folders = app.file.split("/")
    file = folders[-1].removesuffix(".py")
    return (
        int(app.factory),
        _NAMES.index(app.name) if app.name in _NAMES else len(_NAMES),
        len(folders),
        int(app.framework == "Django" and app.protocol == "asgi"),
        _FILES.index(file) if file in _FILES else len(_FILES),
    )
