"""The end of a browser session, as clients ask for it and hear of it."""
