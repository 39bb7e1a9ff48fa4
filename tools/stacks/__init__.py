"""Whole environments, resolved beforehand: one version each of what programs import."""
