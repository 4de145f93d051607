"""Looking inside the nets: heatmaps, sensitivity, kernels and what they answer, as numbers."""
