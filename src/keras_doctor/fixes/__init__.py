"""Repairs: plan, rehearse, apply, verify, undo."""
