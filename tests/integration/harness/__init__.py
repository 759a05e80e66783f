"""Runs a program twice, under glibc and under a preload, and says where the two runs differ."""
