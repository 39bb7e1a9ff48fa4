"""Gathers what is shipped as knowledge."""
