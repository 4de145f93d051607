"""Photos by the million, with Ray Data: any source in, Parquet out. Needs the extra `archive`."""
