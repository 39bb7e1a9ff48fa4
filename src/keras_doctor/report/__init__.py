"""Renderers: pure functions from an examination to text or JSON, one module a format."""
