"""The page without a server: a folder that any static host serves."""
