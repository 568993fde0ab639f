"""Where an artifact comes from: statements about it, their envelopes, bills of materials, and who may be believed.

Nothing here signs or verifies a signature; that is an adapter's. What is signed, and what follows from a signature that
holds, is decided here.
"""
