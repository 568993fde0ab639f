"""What is found out about applications of every kind."""

import json

import pytest
from init_samples import FASTAPI, FLASK, PIP, Ports, load_written

from fairway.usecases.init import inspect, write_configuration

DJANGO = "from django.core.{0} import get_{0}_application\napplication = get_{0}_application()\n"


PROJECTS = {
    "FastAPI with requirements": (
        {"main.py": FASTAPI, "requirements.txt": "fastapi\n"},
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt", f"{PIP} uvicorn"],
        ".venv/bin/uvicorn --host {host} --port {port} main:app",
    ),
    "FastAPI that brings its server": (
        {"main.py": FASTAPI, "requirements.txt": "fastapi[standard]==0.165.0\n"},
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt"],
        ".venv/bin/uvicorn --host {host} --port {port} main:app",
    ),
    "Starlette on granian in a src layout, locked by uv": (
        {
            "src/shop/web.py": "import starlette.applications\napi = starlette.applications.Starlette()\n",
            "src/shop/__init__.py": "",
            "tests/test_web.py": FASTAPI,
            "uv.lock": "",
            "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["starlette", "granian>=2"]\n',
        },
        ["python3 -m venv .venv", f"{PIP} uv", ".venv/bin/uv sync --frozen --no-dev --inexact"],
        ".venv/bin/granian --interface asgi --host {host} --port {port} --working-dir src shop.web:api",
    ),
    "Flask with pyproject and nothing to build": (
        {"app.py": FLASK, "pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["Flask"]\n'},
        ["python3 -m venv .venv", f"{PIP} uv", ".venv/bin/uv pip install -r pyproject.toml", f"{PIP} gunicorn"],
        ".venv/bin/gunicorn --bind {host}:{port} --threads 8 app:app",
    ),
    "Flask factory on waitress": (
        {
            "shop/__init__.py": "import flask\n\ndef create_app(config=None):\n    return flask.Flask(__name__)\n",
            "pyproject.toml": '[build-system]\nrequires = ["hatchling"]\n[project]\ndependencies = ["waitress"]\n',
        },
        ["python3 -m venv .venv", f"{PIP} ."],
        ".venv/bin/waitress-serve --call --listen={host}:{port} shop:create_app",
    ),
    "Flask factory on gunicorn": (
        {
            "shop.py": "from flask import Flask\ndef create_app():\n    return Flask('x')\n",
            "requirements.txt": "gunicorn",
        },
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt"],
        ".venv/bin/gunicorn --bind {host}:{port} --threads 8 shop:create_app()",
    ),
    "Django": (
        {
            "manage.py": "",
            "site1/__init__.py": "",
            "site1/asgi.py": DJANGO.format("asgi"),
            "site1/wsgi.py": DJANGO.format("wsgi"),
            "requirements.txt": "Django>=5\n",
        },
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt", f"{PIP} gunicorn"],
        ".venv/bin/gunicorn --bind {host}:{port} --threads 8 site1.wsgi:application",
    ),
    "plain ASGI function below a folder that is no package": (
        {"web/app.py": "import store\nasync def app(scope, receive, send): ...\n", "web/store.py": "", "setup.py": ""},
        ["python3 -m venv .venv", f"{PIP} .", f"{PIP} uvicorn"],
        ".venv/bin/uvicorn --host {host} --port {port} --app-dir web app:app",
    ),
    "plain WSGI function": (
        {"wsgi.py": "def application(environ, start_response): ...\n", "requirements.txt": ""},
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt", f"{PIP} gunicorn"],
        ".venv/bin/gunicorn --bind {host}:{port} --threads 8 wsgi:application",
    ),
    "Datasette with its data": (
        {"requirements.txt": "datasette==0.65.1\n", "shop.db": "", "notes.txt": ""},
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt"],
        ".venv/bin/datasette serve --host {host} --port {port} shop.db",
    ),
    "script of the standard library with an option": (
        {"serve.py": "import argparse\np.add_argument('--port')\nHTTPServer(('', a.port), H).serve_forever()\n"},
        [],
        "python3 serve.py --port {port}",
    ),
    "Node with a lock file": (
        {
            "package.json": json.dumps({"scripts": {"start": "node server.js"}, "dependencies": {"express": "5"}}),
            "package-lock.json": "{}",
            "server.js": "app.listen(process.env.PORT || 3000)",
        },
        ["npm ci"],
        "node server.js",
    ),
    "Node without a lock file, with a build and a start of many words": (
        {
            "package.json": json.dumps(
                {"scripts": {"start": "next start -p $PORT", "build": "next build"}, "dependencies": {"next": "16"}}
            ),
        },
        ["npm install --no-audit --no-fund", "npm run build"],
        "npm start",
    ),
    "Node with nothing but a main file": (
        {"package.json": '{"main": "./lib/web.js"}', "lib/web.js": "http.createServer(f).listen(process.env.PORT)"},
        [],
        "node lib/web.js",
    ),
    "Node on pnpm that reads its own version": (
        {
            "package.json": json.dumps({"scripts": {"start": "node a.js"}, "dependencies": {"x": "1"}}),
            "pnpm-lock.yaml": "",
            "a.js": "console.log(process.env.npm_package_version)",
        },
        ["pnpm install --frozen-lockfile"],
        "npm start",
    ),
    "pages built by vite": (
        {
            "package.json": json.dumps(
                {"scripts": {"dev": "vite", "build": "vite build"}, "devDependencies": {"vite": "8"}}
            ),
            "index.html": "",
        },
        ["npm install --no-audit --no-fund", "npm run build"],
        "python3 -m http.server --bind {host} --directory dist {port}",
    ),
    "Procfile in Python": (
        {
            "Procfile": "web: gunicorn shop:app -b 0.0.0.0:$PORT\nworker: python work.py\n",
            "requirements.txt": "gunicorn",
        },
        ["python3 -m venv .venv", f"{PIP} -r requirements.txt"],
        ".venv/bin/gunicorn shop:app -b 0.0.0.0:{port}",
    ),
    "Procfile for a shell": (
        {"Procfile": "web: bin/prepare && exec bin/serve --port ${PORT:-3000} > log\n"},
        [],
        "sh -c 'bin/prepare && exec bin/serve --port ${PORT:-3000} > log'",
    ),
    "Procfile in Node": (
        {"Procfile": "web: npm start\n", "package.json": '{"dependencies": {"x": "1"}}', "package-lock.json": ""},
        ["npm ci"],
        "npm start",
    ),
    "pages": ({"index.html": "hi", "style.css": ""}, [], "python3 -m http.server --bind {host} {port}"),
    "pages in a folder": (
        {"public/index.html": "hi"},
        [],
        "python3 -m http.server --bind {host} --directory public {port}",
    ),
}


@pytest.mark.parametrize("project", PROJECTS)
def test_a_project_gets_a_configuration_that_loads_and_says_how_to_build_and_start_it(repository, project):
    files, steps, command = PROJECTS[project]
    folder = repository(files)
    write_configuration(folder, inspect(folder), Ports())
    spec = load_written(folder)
    assert list(spec.build_steps) == steps
    assert spec.environments[0].run.command == command
