"""Labelled faces for training and testing: sources, augmentation, data sets."""
