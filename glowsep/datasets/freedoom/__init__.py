"""Freedoom-4, our own data set: rendered from freely licensed MIDI files."""
