"""The package that a worker in Beam's own image installs: this project, and its locked dependencies."""

import os
import subprocess
import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

# Each set of packages has Pythons of its own.
LOCK = Path(__file__).resolve().parent / "requirements" / ("old" if sys.version_info < (3, 11) else "new") / "run.txt"


class BuildOnLockedPackages(build_py):
    """Installs the locked packages into the environment that installs this project.

    A list of requirements would not do: TFX requires a TensorFlow Hub that cannot be imported beside this TensorFlow.
    """

    def run(self) -> None:
        """Install, then build."""
        environment = {
            name: value for name, value in os.environ.items() if name != "PYTHONPATH"
        }  # not pip's isolated one
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "-r", str(LOCK)], env=environment, check=True)
        super().run()


setup(
    name="swara",
    version="0.1.0",
    description="Trains small neural instruments from recordings and ships them to the browser.",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["bundles*", "common*", "components*", "data*", "models*", "pipeline*", "player*"]),
    package_data={"": ["*.css", "*.html", "*.js", "*.json", "*.pbtxt"]},
    py_modules=["local_runner"],
    cmdclass={"build_py": BuildOnLockedPackages},
)
