"""A small application with users, tokens and resources in a SQLite file; standard library, and graphql-core if asked.

It answers /health, /health/ready and /health/live, /api/v1/status, /db/ping, /me, /users, /auth/login and /resources
under /api/v1, /metrics, /graphql, /text (compressed, with a tag) and /limited. Users that come without a password get
the initial one. Faults are switched on by options, so that checks have something to find.
"""

import argparse
import gzip
import hashlib
import json
import secrets
import sqlite3
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INITIAL_PASSWORD = "test123"
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
METRICS = """\
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code="200"} 7
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.1"} 3
http_request_duration_seconds_bucket{le="+Inf"} 4
http_request_duration_seconds_sum 0.5
http_request_duration_seconds_count 4
"""
SCHEMA = "type Product { id: ID! name: String price: Float } type Query { products: [Product!]! }"


def arguments(line=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--database", default=":memory:")
    parser.add_argument("--version", default="v1.2.3")
    parser.add_argument("--key", default="key-of-the-service")
    parser.add_argument("--broken", action="append", default=[], help="redis, login, delete, open, slow, cors, schema")
    return parser.parse_args(line)


class Accounts:
    """What the application keeps."""

    def __init__(self, options):
        self.options = options
        self.began = time.monotonic()
        self.lock = threading.Lock()
        self.hits = 0
        self.database = sqlite3.connect(options.database, check_same_thread=False, isolation_level=None)
        self.database.executescript(
            "CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, password TEXT);"
            "CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, user INTEGER REFERENCES users);"
            "CREATE TABLE IF NOT EXISTS resources (id INTEGER PRIMARY KEY, user INTEGER REFERENCES users, name TEXT);"
        )

    def ask(self, statement, *values):
        with self.lock:
            return self.database.execute(statement, values).fetchall()

    def broken(self, what):
        return what in self.options.broken


def hashed(password):
    return hashlib.sha256(password.encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    @property
    def kept(self):
        return self.server.accounts

    def handle_any(self):
        length = int(self.headers.get("content-length", 0))
        content = self.rfile.read(length)
        try:
            self.sent = json.loads(content) if content else {}
        except ValueError:
            self.answer(400, {"error": "not JSON"})
            return
        path = self.path.partition("?")[0]
        route = ROUTES.get((self.command, path))
        if route is None and path.startswith("/api/v1/resources/"):
            route = Handler.resource
        if route is None:
            known = any(known == path for _, known in ROUTES)
            self.answer(405 if known else 404, {"error": "no such route"})
            return
        if self.kept.broken("slow"):
            time.sleep(0.12)
        route(self)

    do_GET = do_POST = do_DELETE = do_OPTIONS = do_PUT = handle_any  # noqa: N815

    def answer(self, status, body, headers=()):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**SECURITY, "Content-Type": "application/json", **dict(headers)}.items():
            self.send_header(name, value)
        if self.kept.broken("cors"):
            self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin") or "*")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def health(self):
        now = datetime.now(UTC).isoformat()
        self.answer(200, {"status": "ok", "version": self.kept.options.version, "timestamp": now})

    def ready(self):
        bad = self.kept.broken("redis")
        checks = {"database": "ok", "redis": "failed" if bad else "ok", "storage": "ok"}
        self.answer(503 if bad else 200, {"status": "degraded" if bad else "ready", "checks": checks})

    def live(self):
        self.answer(200, {"status": "alive", "uptime": time.monotonic() - self.kept.began, "memory_usage": "20MB/2GB"})

    def status(self):
        self.answer(200, {"online": True})

    def ping(self):
        self.answer(200, {"connected": self.kept.ask("SELECT 1") == [(1,)]})

    def me(self):
        authorized = self.headers.get("authorization") == f"Bearer {self.kept.options.key}"
        if authorized or self.kept.broken("open"):
            self.answer(200, {"user": {"id": 1}})
        else:
            self.answer(401, {"error": "who are you?"})

    def register(self):
        try:
            values = (self.sent["email"], self.sent.get("name"), hashed(self.sent.get("password", INITIAL_PASSWORD)))
            self.kept.ask("INSERT INTO users (email, name, password) VALUES (?, ?, ?)", *values)
        except (KeyError, sqlite3.IntegrityError):
            # Whoever is known already may come again.
            if "email" not in self.sent:
                self.answer(422, {"error": "no email"})
                return
        ((number,),) = self.kept.ask("SELECT id FROM users WHERE email = ?", self.sent["email"])
        self.answer(201, {"id": number, "email": self.sent["email"]})

    def login(self):
        password = hashed(self.sent.get("password", ""))
        rows = self.kept.ask("SELECT id FROM users WHERE email = ? AND password = ?", self.sent.get("email"), password)
        if not rows or self.kept.broken("login"):
            self.answer(401, {"error": "wrong email or password"})
            return
        token = secrets.token_urlsafe(24)
        self.kept.ask("INSERT INTO tokens VALUES (?, ?)", token, rows[0][0])
        self.answer(200, {"token": token})

    def user(self):
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        rows = self.kept.ask("SELECT user FROM tokens WHERE token = ?", token)
        if not rows:
            self.answer(401, {"error": "wrong token"})
        return rows[0][0] if rows else None

    def create(self):
        if (user := self.user()) is not None:
            statement = "INSERT INTO resources (user, name) VALUES (?, ?) RETURNING id"
            ((number,),) = self.kept.ask(statement, user, self.sent.get("name"))
            self.answer(201, {"id": number, "name": self.sent.get("name")})

    def list_all(self):
        self.answer(200, {"count": self.kept.ask("SELECT count(*) FROM resources")[0][0]})

    def resource(self):
        number = self.path.rpartition("/")[2]
        if self.user() is None:
            return
        rows = self.kept.ask("SELECT id, name FROM resources WHERE id = ?", number)
        if not rows:
            self.answer(404, {"error": "no such resource"})
        elif self.command == "DELETE" and not self.kept.broken("delete"):
            self.kept.ask("DELETE FROM resources WHERE id = ?", number)
            self.answer(200, {"deleted": rows[0][0]})
        elif self.command == "DELETE":
            self.answer(500, {"error": "cannot delete"})
        else:
            self.answer(200, {"id": rows[0][0], "name": rows[0][1]})

    def metrics(self):
        self.answer(200, METRICS.encode(), {"Content-Type": "text/plain; version=0.0.4"})

    def text(self):
        body = b"the same words again and again " * 100
        tag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        if self.headers.get("if-none-match") == tag:
            self.answer(304, b"", {"ETag": tag})
            return
        if "gzip" in self.headers.get("accept-encoding", ""):
            headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding", "ETag": tag}
            self.answer(200, gzip.compress(body, mtime=0), {**headers, "Content-Type": "text/plain"})
            return
        self.answer(200, body, {"ETag": tag, "Content-Type": "text/plain"})

    def limited(self):
        self.kept.hits += 1
        if self.kept.hits > 5:
            self.answer(429, {"error": "slowly"}, {"Retry-After": "1"})
        else:
            self.answer(200, {})

    def graphql(self):
        from graphql import build_schema, graphql_sync  # noqa: PLC0415 -- rollouts run it without

        text = SCHEMA.replace(" price: Float", "") if self.kept.broken("schema") else SCHEMA
        root = {"products": lambda info: [{"id": "1", "name": "tea", "price": 2.5}]}
        result = graphql_sync(build_schema(text), self.sent.get("query", ""), root)
        self.answer(200, result.formatted)

    def preflight(self):
        origin = self.headers.get("origin")
        if origin == "https://www.shop.example":
            headers = {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Methods": "GET, PUT"}
            self.answer(204, b"", headers)
        else:
            self.answer(204, b"")

    def log_message(self, *_):
        pass


ROUTES = {
    ("GET", "/health"): Handler.health,
    ("GET", "/health/ready"): Handler.ready,
    ("GET", "/health/live"): Handler.live,
    ("GET", "/api/v1/status"): Handler.status,
    ("OPTIONS", "/api/v1/status"): Handler.preflight,
    ("GET", "/api/v1/db/ping"): Handler.ping,
    ("GET", "/api/v1/me"): Handler.me,
    ("POST", "/api/v1/users"): Handler.register,
    ("POST", "/api/v1/auth/login"): Handler.login,
    ("POST", "/api/v1/resources"): Handler.create,
    ("GET", "/api/v1/resources"): Handler.list_all,
    ("GET", "/metrics"): Handler.metrics,
    ("GET", "/text"): Handler.text,
    ("GET", "/limited"): Handler.limited,
    ("POST", "/graphql"): Handler.graphql,
}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options):
        super().__init__((options.host, options.port), Handler)
        self.accounts = Accounts(options)


if __name__ == "__main__":
    Server(arguments()).serve_forever()
