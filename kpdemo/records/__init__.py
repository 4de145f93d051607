"""What training and evaluation left in `weights/`, read in one place."""
