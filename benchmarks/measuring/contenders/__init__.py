"""Who is measured: one module a project, each of which starts its server as its users would."""
