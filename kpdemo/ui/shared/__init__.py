"""What several tabs use: components, charts, titles, colours, notices."""
