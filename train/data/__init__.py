"""Labelled faces for training and testing: sources, data sets."""
