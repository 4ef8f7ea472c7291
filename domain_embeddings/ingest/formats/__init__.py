"""One reader a format: a file becomes blocks."""
