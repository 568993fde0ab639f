"""demo."""

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, note, print_json, say, table


def demo(*, options: Options = DEFAULTS) -> int:
    """Make a small application, release good and bad versions of it under live traffic, and show what becomes of them.

    Takes about a minute, uses nothing but loopback, and leaves nothing behind.
    """
    from fairway.demo.story import Story, as_object

    scenes = Story(note).play()
    result = as_object(scenes)
    if options.json:
        print_json(result)
    else:
        header = ["RELEASE", "VERDICT", "EXPECTED", "REQUESTS", "FAILED", "ON CANDIDATE", "VERDICT AFTER", "P99"]
        rows = []
        for scene in scenes:
            after = "" if scene.seconds_to_verdict is None else f"{scene.seconds_to_verdict:.2f} s"
            p99 = "" if scene.p99_ms is None else f"{scene.p99_ms:.1f} ms"
            counts = [str(scene.requests), str(scene.failed_requests), str(scene.candidate_failures)]
            rows.append([scene.name, scene.verdict, scene.expected, *counts, after, p99])
        say("\n" + table(header, rows))
        say("\nevery verdict as expected, no request failed" if result["ok"] else "\nNOT as expected")
    return Exit.YES if result["ok"] else Exit.NO
