# SPDX-License-Identifier: BSD-2-Clause
"""Load a script without .py suffix as a module."""

import importlib.machinery
import importlib.util
import pathlib
import sys

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]


def load(name):
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader(
        name.replace("-", "_") + "_script", str(SCRIPTS / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
