"""Selection (KD1xx): which Keras and which backend is asked for, and by whom."""
