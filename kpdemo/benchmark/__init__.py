"""`python -m kpdemo.benchmark [KIND] [OUT.json]`: measurements for `weights/`."""
