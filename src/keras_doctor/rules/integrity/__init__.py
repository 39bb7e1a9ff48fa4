"""Integrity (KD3xx): whether the installed files are what was shipped."""
