"""The environment that build steps see: little, and nothing of Fairway's own."""

import os
import sys
from pathlib import Path

from fairway.ports.artifacts import Commit

# How this machine reaches the network and its package indexes; without them a build works in a shell and not here.
_NETWORK = (
    *("http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT", "PIP_CONFIG_FILE"),
    *("UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_FIND_LINKS", "npm_config_registry", "GOPROXY"),
)
_INHERITED = ("HOME", "LANG", "TZ", "TMPDIR", *_NETWORK)
BUILD_MARK = "FAIRWAY_BUILD"


def build_variables(folder: Path, commit: Commit) -> dict[str, str]:
    """PATH, HOME, LANG, TZ, TMPDIR, the settings of the network, `FAIRWAY_COMMIT`, `FAIRWAY_VERSION`, and a mark.

    Fairway's own virtual environment is taken off the PATH: a step that says `pip install` must not install there. git
    does not look above the checkout, for the repository that it would find there stands at another commit.
    """
    variables = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return variables | {
        "PATH": _path(),
        "FAIRWAY_COMMIT": commit.id,
        "FAIRWAY_VERSION": commit.version,
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        BUILD_MARK: str(folder),
    }


def _path() -> str:
    own = {str(Path(sys.prefix) / "bin")} if sys.prefix != sys.base_prefix else set()
    if os.environ.get("VIRTUAL_ENV"):
        own.add(str(Path(os.environ["VIRTUAL_ENV"]) / "bin"))
    kept = [entry for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry and entry not in own]
    return os.pathsep.join(kept)
