"""`python -m kpdemo.benchmark [speed|page|faces]`: measurements for `weights/`."""
