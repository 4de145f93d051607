"""The command line: `python -m kpdemo`."""
