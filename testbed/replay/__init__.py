"""Frames through a system: camera by camera, segment by segment, resumable at any moment."""
