"""The back room: claims, asks, decides."""
