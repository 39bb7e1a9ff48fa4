"""Text to facts: tracebacks and crash reports that somebody pasted or a program printed."""
