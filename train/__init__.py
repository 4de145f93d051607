"""Data sets, training, evaluation and publishing of models: `python -m train --help`."""
