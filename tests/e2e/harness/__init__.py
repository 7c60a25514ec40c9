# SPDX-License-Identifier: MIT
"""What the end-to-end tests stand on: origins, daemons, clients. Python's own library only."""
