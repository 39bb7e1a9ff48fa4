"""Compatibility (KD4xx): whether the versions go together."""
