"""Keys, signatures and envelopes on this machine."""

from fairway.adapters.signing.attestor import LocalAttestor
from fairway.adapters.signing.envelopes import LocalAttestations
from fairway.adapters.signing.keys import LocalKeys

__all__ = ["LocalAttestations", "LocalAttestor", "LocalKeys"]
