"""An emulated UPS: what its firmware shows and takes (`device`), and how that stands on MQTT (`mqtt`)."""
