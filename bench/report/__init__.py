# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""What bench/run is made of: measuring, statistics, goals, and the report."""
