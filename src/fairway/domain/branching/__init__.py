"""Branches: what each may release and to where, and the changes that hotfixes and reverts make to them.

Here live rules and plans as data. What git knows comes in as values; nothing here runs git.
"""
