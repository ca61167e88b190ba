"""Packages of plugins that a test installs."""

from tests.harness.conftest import site as site
