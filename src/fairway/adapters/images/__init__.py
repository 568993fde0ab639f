"""Container images: built by a program of this machine, kept in registries by OCI's distribution specification."""
