"""Signing, encrypting and sealing: JOSE (RFC 7515 to RFC 7518), the keys of the server and of clients, and AES-SIV."""
