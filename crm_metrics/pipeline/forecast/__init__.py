"""What the quarter will bring, and how right earlier forecasts were."""
