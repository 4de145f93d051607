"""What the page needs to run the models in the visitor's own browser."""
