"""Install (KD7xx): it never got installed, or may not write what it needs."""
