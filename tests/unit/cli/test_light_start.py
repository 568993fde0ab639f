"""What a command loads before it does anything is time that its user waits."""

import subprocess
import sys


def test_a_command_does_not_load_what_only_migrations_need():
    program = (
        "import sys; from fairway.cli import run; run(['deploy', 'v1', '--env', 'production', '--config', '/nowhere']);"
        "print(sorted({'sqlalchemy', 'alembic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180, check=True)
    assert done.stdout == "[]\n"
    assert "/nowhere" in done.stderr
