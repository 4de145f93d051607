"""Measuring models on labelled faces."""
