"""The pages people see. A view parses, calls login/ or oauth/, and renders; nothing else."""
