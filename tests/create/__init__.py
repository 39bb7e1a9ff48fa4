"""Tests of `create`."""
