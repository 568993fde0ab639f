"""Artifacts as folders of this machine, built where they will run.

`store` keeps them, `places` says where everything lies, `steps` runs a build, `seal` fixes the content and `manifest`
gives it its digest.
"""
