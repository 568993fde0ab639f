"""Container images as OCI describes them: names, manifests, what a release builds. No bytes are read or sent here."""
