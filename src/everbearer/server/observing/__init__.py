"""What a running server tells of itself: metrics, logs and traces."""
