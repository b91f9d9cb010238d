"""Register maps: declared points as views of a device's firmware, read from its process image, written through its checks.

A map holds no state of the device: it encodes what the image shows, and turns what is validly written into commands.
"""
