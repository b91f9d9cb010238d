"""MQTT as clients of this project speak it: addresses, the topics of a site, and one connection that is kept up.

Emulated devices and drivers share this room, and nothing else. aiomqtt is known to `wire` alone.
"""
