"""One model, from its config to keypoints on a photo."""
