"""What the camera did to the picture: face size, motion, optics, sensor, codec."""
