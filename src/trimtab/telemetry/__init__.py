"""What the gateway tells monitoring systems: Prometheus, on request."""
