"""What clients and resource servers call, one file an endpoint."""
