"""SunSpec models of an emulated storage inverter, points by name, one function for each model.

They show what the firmware holds; no state of the device is kept here. A map (`firmware_sim.storage.sunspec`) lays them out.
"""
