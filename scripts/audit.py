"""Known vulnerabilities of what `uv.lock` names: exit status 0 none, 1 some, 3 it could not be found out.

pip-audit by itself says "no known vulnerabilities" where its service has no data, and ends with 1 where there is no
network; neither is an answer. Fairway itself is left out: it is not published.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

UV = ".tools/bin/uv"
NONE, SOME, UNKNOWN = 0, 1, 3


def main() -> int:
    """Asks, and says what came of it in one line."""
    with tempfile.TemporaryDirectory(prefix="fairway-audit-") as folder:
        wanted = Path(folder, "requirements.txt")
        all_of_it = ("--frozen", "--all-extras", "--all-groups", "--no-emit-project")
        subprocess.run([UV, "export", *all_of_it, "-q", "-o", wanted], check=True, stdout=subprocess.DEVNULL)
        command = [sys.executable, "-m", "pip_audit", "-r", str(wanted), "--disable-pip", "--require-hashes"]
        done = subprocess.run(
            [*command, "-f", "json", "--progress-spinner", "off", "--timeout", "15"],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, LookupError):
        words = done.stderr.strip().splitlines()
        print(f"audit: could not be found out: {words[-1][:200] if words else 'no answer'}")
        return UNKNOWN
    bad = [f"{one['name']} {one['version']}: {flaw['id']}" for one in found for flaw in one.get("vulns", ())]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    for line in bad:
        print(f"audit: {line}")
    if bad:
        return SOME
    if skipped or not found:
        print(f"audit: nothing is known of {len(skipped)} of {len(found)} packages, such as {', '.join(skipped[:3])}")
        return UNKNOWN
    print(f"audit: no known vulnerability in {len(found)} packages")
    return NONE


if __name__ == "__main__":
    sys.exit(main())
