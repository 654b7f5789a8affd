"""Asking a user: at the authorization endpoint, from a device, or in one step where somebody else has asked."""
