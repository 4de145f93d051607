"""Keypoint markups, metrics and annotation files; no torch, no photos."""
