"""Publishing finished runs: weights, model cards, tables, the Hub and a Space."""
