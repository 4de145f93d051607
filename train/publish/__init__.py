"""From a finished run to weights, model cards, tables, the Hub and a Space."""
