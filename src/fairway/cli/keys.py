"""keys: what signs releases."""

from cyclopts import App

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, note, print_json, say, table

keys = App(name="keys", help="Make and list the keys that sign releases.")


@keys.command(name="create", help="Make a key. Its private half is encrypted by a passphrase before it is written.")
def create_key(
    name: str, /, *, recipient: str | None = None, vault: str | None = None, options: Options = DEFAULTS
) -> int:
    """Make a key. Its private half is encrypted by a passphrase before it is written.

    The public half, `release-keys/NAME.pub`, belongs into the repository. The passphrase is asked for, or taken from
    FAIRWAY_KEY_PASSPHRASE.

    Args:
        name: what the key is called.
        recipient: an age recipient that can open it, in place of a passphrase.
        vault: an argument line that stores the private half, which it gets on its standard input, in place of a file.
    """
    from fairway.bootstrap import signing

    made = signing.keys_in(signing.home_of(options.config)).create(name, recipient=recipient, vault=vault)
    if options.json:
        print_json({"name": made.name, "id": made.id, "public": made.public, "private": made.private})
        return Exit.YES
    say(f"{made.name} {made.id}")
    note(f"  {made.public} is for everyone: commit it")
    if made.private is None:
        note("  the private half is in the vault; FAIRWAY_SIGNING_KEY_COMMAND says how it is read")
        return Exit.YES
    note(f"  {made.private} is encrypted and for those who release: keep a copy of it, and of its passphrase")
    return Exit.YES


@keys.command(name="list", help="List the keys whose public half is here.")
def list_keys(*, options: Options = DEFAULTS) -> int:
    """List the keys whose public half is here."""
    from fairway.bootstrap import signing

    found = signing.keys_in(signing.home_of(options.config)).list_keys()
    if options.json:
        fields = ("name", "id", "public", "private")
        print_json({"keys": [{field: getattr(one, field) for field in fields} for one in found]})
    elif found:
        rows = [(one.name, one.id[:16], "here" if one.private else "elsewhere") for one in found]
        say(table(("KEY", "ID", "PRIVATE HALF"), rows))
    else:
        note("there is no key yet; fairway keys create NAME makes one")
    return Exit.YES
