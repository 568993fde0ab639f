"""Branches: what each may release and deploy, hotfixes, reverts and release branches."""
