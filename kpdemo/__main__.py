"""`python -m kpdemo PHOTO`: compare models on photos from the shell, and other commands."""

import sys

from kpdemo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
