"""What the gateway costs, beside nginx and other gateways, in one run on one machine."""
