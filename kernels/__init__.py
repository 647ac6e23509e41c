"""Numbers in, numbers out: compiled kernels, each beside the plain NumPy twin that defines it."""
