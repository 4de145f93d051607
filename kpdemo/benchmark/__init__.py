"""`python -m kpdemo.benchmark [speed|page|faces|visitors|browser]`: measurements for `weights/`."""
