"""Pages whose pictures plotly draws, in a browser."""
