"""Other (KD9xx): what no other family explains."""
