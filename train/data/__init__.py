"""Labelled faces for training and testing: sources, augmentation, the data set that a run sees."""
