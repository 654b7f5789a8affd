"""What is wrong with the settings of a client, in sentences that say what to change."""
