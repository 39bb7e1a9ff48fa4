"""Native (KD5xx): libraries, processor, GPU, compiler."""
