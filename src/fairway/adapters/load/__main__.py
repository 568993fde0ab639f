"""`python -m fairway.adapters.load URL …`: exit status 0 if no request failed, 1 if one did, 2 for wrong input."""

import argparse
import gc
import json
import signal
import sys

from fairway.adapters.load.generator import Generator
from fairway.adapters.load.plan import LoadPlan, parser, plan_from
from fairway.adapters.load.turns import Turns, longest


def main() -> int:
    """Runs the load and prints the report."""
    options = parser().parse_args()
    try:
        plan = plan_from(options)
        generator = _against(plan, options) or Generator(plan, _print_live if plan.live else lambda _: None)
    except (OSError, ValueError) as error:
        print(f"fairway load: {error}", file=sys.stderr)  # noqa: T201 - this is a program
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: generator.stop())
    # No cycles are made, and a collection in mid-run would look like a slow server.
    gc.disable()
    if isinstance(generator, Turns):
        both = generator.run()
        print(f"[{', '.join(report.to_json() for report in both)}]", flush=True)  # noqa: T201
        return 1 if any(report.failed for report in both) else 0
    report = generator.run()
    print(report.to_json() if options.json else report, flush=True)  # noqa: T201
    return 1 if report.failed else 0


def _against(plan: LoadPlan, options: argparse.Namespace) -> Turns | None:
    if not options.against:
        return None
    second = argparse.Namespace(**vars(options) | {"url": options.against, "socket": options.against_socket})
    return Turns((plan, plan_from(second)), longest(plan))


def _print_live(line: dict[str, object]) -> None:
    print(json.dumps(line), file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
