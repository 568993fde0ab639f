"""image: what lies in registries of images, and copying between them."""

from typing import Any

from cyclopts import App

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, note, print_json, say, table
from fairway.domain.images.reference import Reference, parse_reference
from fairway.domain.images.spec import show_size
from fairway.domain.provenance.trust import Distrusted, TrustPolicy

image = App(name="image", help="Look at images in registries, and copy them by digest.")


@image.command(name="show", help="Show what an image's name stands for: digest, platforms and their sizes.")
def show(reference: str, /, *, options: Options = DEFAULTS) -> int:
    """Show what an image's name stands for: digest, platforms and their sizes.

    Args:
        reference: such as registry.example.org/acme/shop:1.2.0.
    """
    from fairway.bootstrap.images import open_registries
    from fairway.usecases.images import show_image

    found = show_image(parse_reference(reference), open_registries())
    if options.json:
        platforms = [{"platform": one.name, "digest": one.digest, "size": one.size} for one in found.platforms]
        body: dict[str, Any] = {"image": str(found.reference), "digest": found.reference.digest}
        print_json(body | {"version": found.version, "platforms": platforms, "statements": found.statements})
        return Exit.YES
    say(f"{found.reference}" + (f", version {found.version}" if found.version else ""))
    say(table(("PLATFORM", "SIZE", "DIGEST"), [(one.name, show_size(one.size), one.digest) for one in found.platforms]))
    note(f"  {found.statements} signed statements are attached")
    return Exit.YES


@image.command(name="copy", help="Copy an image and its signatures to another place, under the same digest.")
def copy(
    source: str,
    target: str,
    /,
    *,
    env: str | None = None,
    key: list[str] | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Copy an image and its signatures to another place, under the same digest.

    What is there already is not sent again, and the tag comes last. A tag that stands for another image is not moved.

    Args:
        source: the image, by tag or digest.
        target: where it goes; the tag may be left out if the source has one.
        env: an environment whose demands of signatures (`gates.signed`) the image must meet first.
        key: keys of which one must have signed the image.
    """
    from fairway.bootstrap.images import open_registries
    from fairway.usecases.images import copy_image, resolve_image

    registries = open_registries(note)
    there = parse_reference(target)
    found = resolve_image(parse_reference(source), registries)
    distrust = _distrust(found, env, key, options) if env or key else None
    if distrust is not None:
        if options.json:
            print_json({"copied": False, "code": distrust.code, "reason": distrust.sentence})
        note(f"not copied: {distrust.sentence}; {distrust.hint}")
        return Exit.NO
    done = copy_image(found, there, registries)
    place = there.at(tag=there.tag or found.tag, digest=done.digest)
    if options.json:
        print_json({"copied": True, "image": str(place), "digest": done.digest, "sent": done.sent})
    else:
        say(str(place))
        note(f"  {done.sent} parts sent, {done.present} there already")
    return Exit.YES


def _distrust(found: Reference, env: str | None, key: list[str] | None, options: Options) -> Distrusted | None:
    """Why the image may not go there."""
    from fairway.bootstrap import signing
    from fairway.bootstrap.images import demanded_of, open_registries
    from fairway.usecases.images import verify_image
    from fairway.usecases.trusting import Verifier

    home = signing.home_of(options.config)
    verifier = Verifier(signing.keys_in(home), signing.attestations_in(home))
    demands = [demanded_of(options.config, env)] if env else []
    demands += [TrustPolicy(tuple(key))] if key else []
    answers = (verify_image(found, open_registries(), verifier, one) for one in demands)
    return next((one for one in answers if isinstance(one, Distrusted)), None)
