"""Errors of models on labelled faces: reading labels, matching faces, figures, reports."""
