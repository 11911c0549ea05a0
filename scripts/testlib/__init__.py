# SPDX-License-Identifier: BSD-2-Clause
"""What `make test` runs: jobs of several kinds, each a function from a job's
name to a Result."""
