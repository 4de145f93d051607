"""Inside the nets: heatmaps, occlusion sensitivity, kernels and feature maps, as numbers."""
