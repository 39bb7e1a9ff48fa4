"""Makes release files from what an index lists, and keeps a user's copy of them fresh."""
