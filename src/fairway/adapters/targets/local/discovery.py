"""The running instances as Prometheus finds them: a file for its file-based service discovery.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config

Each instance carries the labels `service`, `environment`, `revision`, `version` and `instance`, so that a query can ask
for one revision. Instances that listen on a Unix socket are left out: Prometheus cannot reach them.
"""

import json
from pathlib import Path

from fairway.adapters.targets.local.records import Records
from fairway.domain.errors import TransientError

FOLDER = "prometheus"
"""Beneath the folder of the records."""


def publish_instances(folder: Path, service: str, environment: str, records: Records) -> None:
    """Writes the file of one service and environment, replacing it whole; without a change nothing is written.

    Raises:
        TransientError: it cannot be written at the moment.
    """
    groups = [
        {
            "targets": [f"{record.host}:{record.port}"],
            "labels": {
                "service": service,
                "environment": environment,
                "revision": record.revision,
                "version": record.version,
                "instance": record.id,
            },
        }
        for record in records.instances
        if not record.socket
    ]
    path = folder / FOLDER / f"{service}.{environment}.json"
    content = json.dumps(groups, indent=1) + "\n"
    try:
        if path.exists() and path.read_text(encoding="utf-8") == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        draft.write_text(content, encoding="utf-8")
        draft.replace(path)
    except OSError as problem:
        sentence = f"The list of instances {str(path)!r} cannot be written: {problem.strerror}."
        raise TransientError("instance-list", sentence) from problem
