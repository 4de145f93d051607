"""Everything that makes weights: `python -m train {data,framing,fit,evaluate,benchmark}`."""
