"""Every built-in adapter: the table of contents."""
