"""Try a repair where it changes nothing."""
