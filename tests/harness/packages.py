"""Packages of plugins that a test installs: metadata and source in a folder on Python's path."""

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from xaibench.harness import registry


@dataclass(frozen=True)
class Site:
    """A folder of installed packages."""

    path: Path

    def install(self, package: str, kind: str, plugins: Mapping[str, str]) -> None:
        """Register plugins, name -> `module:attribute`, as version 1.0 of a package."""
        folder = self.path / f"{package}-1.0.dist-info"
        folder.mkdir(exist_ok=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in plugins.items()]
        with (folder / "entry_points.txt").open("a") as file:
            file.write("\n".join([f"[xaibench.{kind}]", *lines]) + "\n")
        registry.forget()

    def write(self, file: str, source: str) -> None:
        """Write a module, which the next import reads as a new process would."""
        path = self.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source))
        self.forget()

    def forget(self) -> None:
        """Forget every module of this folder."""
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(str(self.path)):
                del sys.modules[name]
        importlib.invalidate_caches()
        registry.forget()
