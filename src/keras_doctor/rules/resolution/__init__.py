"""Resolution (KD2xx): which files Python would import."""
