"""What grants give: how each kind of token is made and read, what a presented one means, how it ends."""
