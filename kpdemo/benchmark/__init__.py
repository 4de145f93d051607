"""`python -m kpdemo.benchmark [speed|page|faces]`: measurements that are kept in `weights/`."""
