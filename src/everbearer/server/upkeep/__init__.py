"""What a running server does beside answering."""
