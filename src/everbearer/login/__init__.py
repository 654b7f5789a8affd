"""Accounts, credentials, browser sessions and consent. As pure as the protocol: functions await only the store."""
