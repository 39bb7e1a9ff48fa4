"""Which imports of the Keras world a tree of programs has, and in which releases they work."""
