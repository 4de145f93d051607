"""Photos through all models: load, detect, predict, assemble."""
