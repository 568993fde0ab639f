"""A small shop: an ASGI application with its goods in SQLite and the usual health endpoints."""

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

VERSION = "1.0.0"
STARTED = time.time()
GOODS = (("anchor", 120), ("buoy", 35), ("compass", 80), ("lantern", 25))


def open_database() -> sqlite3.Connection:
    """The shop's data; made by whichever instance comes first."""
    connection = sqlite3.connect(os.environ["SHOP_DATABASE"], timeout=10, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS goods (name TEXT PRIMARY KEY, price INTEGER NOT NULL)")
    connection.executemany("INSERT OR IGNORE INTO goods VALUES (?, ?)", GOODS)
    return connection


database = open_database()


def list_goods() -> dict[str, Any]:
    """All goods with their prices."""
    rows = database.execute("SELECT name, price FROM goods ORDER BY name").fetchall()
    return {"version": VERSION, "goods": [{"name": name, "price": price} for name, price in rows]}


def health() -> dict[str, Any]:
    """The shop is there."""
    return {"status": "ok", "version": f"v{VERSION}", "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def ready() -> dict[str, Any]:
    """The shop can serve: its database answers."""
    database.execute("SELECT 1 FROM goods").fetchone()
    return {"status": "ready", "checks": {"database": "ok"}}


def live() -> dict[str, Any]:
    """The process is not stuck."""
    return {"status": "alive", "uptime": int(time.time() - STARTED)}


PAGES: dict[str, Callable[[], dict[str, Any]]] = {
    "/": list_goods,
    "/health": health,
    "/health/ready": ready,
    "/health/live": live,
}


async def ask_warehouse() -> None:
    """What is in stock; the warehouse is elsewhere and takes its time, here by waiting for as long."""
    await asyncio.sleep(0.02)


async def app(scope: Message, _receive: Receive, send: Send) -> None:
    """Answers one request."""
    if scope["type"] != "http":
        return
    page = PAGES.get(scope["path"])
    if page is list_goods:
        await ask_warehouse()
    status, body = (200, page()) if page is not None else (404, {"error": "no such page"})
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
