"""Code (KD6xx): the user's own import lines."""
