"""How calendar versions are written where nobody has chosen; apart, for what names it needs no calendar."""

DEFAULT_FORMAT = "YYYY.0M.0D"
