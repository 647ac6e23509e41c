"""Places where made-up people walk: meshes, light, paths and mounts for cameras."""
