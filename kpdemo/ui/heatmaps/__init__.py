"""The Heatmaps tab."""
