"""A web application that misbehaves on demand. Standard library only, so that it runs wherever the tests run.

It answers: /health/ready, /health/live, /pid, /host (the header of the request), /environment, /say?TEXT (prints it),
/freeze (from then on /health/live is answered with 500), /exit?STATUS.
"""

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("--host", default="127.0.0.1")
where = parser.add_mutually_exclusive_group(required=True)
where.add_argument("--port", type=int)
where.add_argument("--socket", help="path of a Unix socket")
parser.add_argument("--ignore-term", action="store_true", help="so do its children")
parser.add_argument("--children", type=int, default=0, help="processes that outlive it unless somebody ends them")
parser.add_argument("--crash-after", type=float, help="seconds until it ends with status 3")
parser.add_argument("--never-ready", action="store_true")
parser.add_argument("--body", default="ready", help="what /health/ready says")
parser.add_argument("--flood", action="store_true", help="write as fast as possible")
options = parser.parse_args()
address = (options.host, options.port)
frozen = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, argument = self.path.partition("?")
        status, body = 200, ""
        if path == "/health/ready":
            status, body = (503 if options.never_ready else 200), options.body
        elif path == "/health/live":
            status = 500 if frozen.is_set() else 200
        elif path == "/pid":
            body = str(os.getpid())
        elif path == "/host":
            body = self.headers["Host"]
        elif path == "/environment":
            body = json.dumps(dict(os.environ))
        elif path == "/say":
            print(argument, flush=True)
        elif path == "/freeze":
            frozen.set()
        elif path == "/exit":
            os._exit(int(argument))
        else:
            status = 404
        self.send_response(status)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_request(self, *args):
        pass


class SocketServer(ThreadingHTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self):
        self.socket.bind(self.server_address)


def end_later():
    time.sleep(options.crash_after)
    os._exit(3)


def flood():
    line = b"x" * 199 + b"\n"
    while True:
        os.write(1, line * 500)


if options.ignore_term:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(options.children):
    if os.fork() == 0:
        while True:
            signal.pause()
server = SocketServer(options.socket, Handler) if options.socket else ThreadingHTTPServer(address, Handler)
print(f"listening on {options.socket or options.port}", flush=True)
for task in (options.crash_after is not None and end_later, options.flood and flood):
    if task:
        threading.Thread(target=task, daemon=True).start()
sys.exit(server.serve_forever())
