"""A person: parameters, then shape, skin and clothes, then a mesh for the renderer."""
