"""Evaluation of models on labelled faces."""
