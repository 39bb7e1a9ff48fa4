"""keras-doctor says why `import keras` fails, proves it, and makes it work."""

__version__ = "0.1.0.dev0"
