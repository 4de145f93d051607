"""Which keypoints there are, and arithmetic on them; nothing here needs torch or a photo."""
