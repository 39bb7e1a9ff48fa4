"""New environments in which a wished Keras, on a wished backend, has really trained."""
