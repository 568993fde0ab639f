"""Where messages go: to a URL, or to a command.

The classes are loaded when they are first asked for: checking a configuration takes the settings only.
"""

from typing import TYPE_CHECKING

from fairway.adapters.notifiers.settings import CommandSettings, WebhookSettings

if TYPE_CHECKING:
    from fairway.adapters.notifiers.command import CommandNotifier
    from fairway.adapters.notifiers.webhook import WebhookNotifier

__all__ = ["CommandNotifier", "CommandSettings", "WebhookNotifier", "WebhookSettings"]


def __getattr__(name: str) -> object:
    if name == "WebhookNotifier":
        from fairway.adapters.notifiers.webhook import WebhookNotifier  # noqa: PLC0415 see above

        return WebhookNotifier
    if name == "CommandNotifier":
        from fairway.adapters.notifiers.command import CommandNotifier  # noqa: PLC0415 see above

        return CommandNotifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
