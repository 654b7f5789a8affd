"""The grants, one file each: the function of its name is the grant."""
