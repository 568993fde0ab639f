"""URLs of databases: secrets are put in at the moment of use, and taken out of whatever is said."""

from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from fairway.domain.validation.template import fill, is_name


def fill_url(url: str, secrets: Mapping[str, str], variables: Mapping[str, str]) -> str:
    """The URL with its names replaced; secrets within it are percent-encoded, one that is all of it is taken as it is.

    Args:
        url: with `{{NAME}}` for what is not in the file.
        secrets: values by name.
        variables: likewise, of what is no secret.
    """
    known = {**variables, **secrets}
    if not is_name(url):
        known |= {name: quote(value, safe=":") for name, value in secrets.items()}
    return str(fill(url, known)).replace("postgresql+psycopg://", "postgresql://", 1)


def hidden_in(url: str, secrets: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Pairs of name and value that nothing may show: the secrets, and a password in the URL that they make."""
    pairs = list(secrets.items())
    try:
        password = urlsplit(url).password
    except ValueError:
        password = None
    if password:
        pairs += [("password", password), ("password", unquote(password))]
    return tuple(dict.fromkeys(pairs))
