"""What tests of one's own stand on: runs of scenarios, devices that are served, targets of a bench, limits told as text.

Nothing here knows pytest: `hil.pytest_plugin` makes fixtures of it. Nothing of the testbed itself may import it.
"""
